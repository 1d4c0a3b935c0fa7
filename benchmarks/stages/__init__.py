"""Our stages as subjects of `benchmarks.measure`, through the executors that the pipeline runs."""

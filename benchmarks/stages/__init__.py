"""Our stages as subjects of `benchmarks.measure`, run by the executors of the pipeline."""

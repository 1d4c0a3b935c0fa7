"""The stock TFX components as subjects of `benchmarks.measure`, through their own executors."""

"""Training steps of one problem, as subjects of `benchmarks.measure`."""

"""Alternative joins of clicks and orders with impressions, as subjects of `benchmarks.measure`."""

"""Peers of gatewise as subjects of `benchmarks.measure`, and their environments."""

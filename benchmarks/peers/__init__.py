"""What gatewise is compared with, as subjects of `benchmarks.measure`, and the environments that it needs."""

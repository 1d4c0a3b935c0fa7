"""Parts of `python -m benchmarks.small_logs`."""

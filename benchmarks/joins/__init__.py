"""Other ways of joining clicks and orders to impressions, as subjects of `benchmarks.measure`."""

"""Compares methods on the same data: several seeds of each, and a verdict for each task."""

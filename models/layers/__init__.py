"""Keras layers that the architectures are built of, one idea in each file: import them from their own module."""

"""Keras layers of the architectures. Import each from its own module."""

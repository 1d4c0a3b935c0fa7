"""Shared Beam code: run a pipeline, merge in order, broadcast a value, work on threads."""

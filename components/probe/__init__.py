"""Probe: the exported model answers real requests in a process of its own before it may be pushed."""

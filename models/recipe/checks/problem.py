"""The type of a problem that a check reports."""

Problem = tuple[tuple[str | int, ...], str]
"""(location of the key, message: what is wrong and what to write instead)"""

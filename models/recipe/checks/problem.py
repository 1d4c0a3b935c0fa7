"""What a check finds."""

Problem = tuple[tuple[str | int, ...], str]
"""(the key's location, what is wrong and what to write instead)"""

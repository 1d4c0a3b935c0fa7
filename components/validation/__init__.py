"""Validation: examples that depart from the curated schema, or drifted from the last good run, go no further."""

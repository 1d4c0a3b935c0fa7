"""Validation: stops the run if the examples violate the curated schema or have drifted since the last good run."""

"""Methods of maximum inner product search for a user vector, each timed in its own process."""

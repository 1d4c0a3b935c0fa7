"""The interactions: positives with the users' histories, item tables and eval queries."""

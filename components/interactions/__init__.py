"""The interactions: the positives of the examples with their users' histories, and the tables of items and of eval_queries."""

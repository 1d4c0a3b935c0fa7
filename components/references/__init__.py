"""References: simple models on the same features, which the ranker is compared with."""

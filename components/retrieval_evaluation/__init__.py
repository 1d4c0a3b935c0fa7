"""The retrieval evaluation: what the two-tower model answers to users of the eval split, beside methods that learn nothing."""

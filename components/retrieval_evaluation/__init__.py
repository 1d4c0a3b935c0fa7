"""The retrieval evaluation: compares the two-tower model with simple methods on users of the eval split."""

"""Recommends items to a user: retrieval model, item table, ranker and diversity."""

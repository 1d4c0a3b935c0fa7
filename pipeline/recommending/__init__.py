"""From a user to the items to show: the retrieval model, the item table, the ranker, and diversity."""

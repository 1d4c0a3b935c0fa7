"""The two-tower retrieval model: from a user to the items worth ranking, with TensorFlow Recommenders."""

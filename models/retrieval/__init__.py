"""The two-tower retrieval model, which finds candidate items for a user, with TensorFlow Recommenders."""

"""Stage 4: analyses the features in the train split, builds one TensorFlow graph, and transforms all examples with it."""

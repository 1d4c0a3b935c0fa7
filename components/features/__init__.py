"""Stage 4: what the train split says about the features becomes one TensorFlow graph, and all examples go through it."""

"""The names of the losses and what kind of task each is for, known without importing Keras."""

LOSS_KINDS = {
    "binary_crossentropy": "binary",
    "squared_error": "regression",
    "absolute_error": "regression",
    "huber": "regression",
    "squared_log_error": "regression",
    "poisson": "regression",
}
"""{name of the loss: "binary" (the prediction is a probability) or "regression" (the prediction is an amount)}."""

"""The table of losses: what a task's training minimises, and the prediction that belongs to it.

A row is a name for recipes and the dotted path of a class; what a loss is for stands in its class and is read from there.
To add one: a file with one `Loss`, and a row here. The contract tests run every row.
"""

LOSSES = {
    "binary_crossentropy": "models.losses.binary_crossentropy.BinaryCrossentropy",
    "squared_error": "models.losses.squared_error.SquaredError",
    "absolute_error": "models.losses.absolute_error.AbsoluteError",
    "huber": "models.losses.huber.Huber",
    "squared_log_error": "models.losses.squared_log_error.SquaredLogError",
    "poisson": "models.losses.poisson.Poisson",
    "zero_inflated_lognormal": "models.losses.zero_inflated_lognormal.ZeroInflatedLognormal",
}

LOSS = "models.losses.base.Loss"
"""The type of every loss, of a row or from outside."""

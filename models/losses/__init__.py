"""The table of losses: the training objective of a task and its prediction.

Each row maps the name in recipes to the dotted path of a class. The class declares the tasks, labels and options of the loss.
To add one, write a file with one `Loss` and add a row here. The contract tests run every row.
"""

LOSSES = {
    "binary_crossentropy": "models.losses.binary_crossentropy.BinaryCrossentropy",
    "squared_error": "models.losses.squared_error.SquaredError",
    "absolute_error": "models.losses.absolute_error.AbsoluteError",
    "huber": "models.losses.huber.Huber",
    "squared_log_error": "models.losses.squared_log_error.SquaredLogError",
    "poisson": "models.losses.poisson.Poisson",
    "zero_inflated_lognormal": "models.losses.zero_inflated_lognormal.ZeroInflatedLognormal",
    "focal": "models.losses.focal.Focal",
    "quantile": "models.losses.quantile.Quantile",
    "tweedie": "models.losses.tweedie.Tweedie",
    "ordinal": "models.losses.ordinal.Ordinal",
    "cread": "models.losses.cread.CREAD",
    "softmax": "models.losses.softmax.Softmax",
    "jrc": "models.losses.jrc.JRC",
    "ranknet": "models.losses.ranknet.RankNet",
    "lambda_ndcg": "models.losses.lambda_ndcg.LambdaNDCG",
}

LOSS = "models.losses.base.Loss"
"""The base class of all losses, in the table or from another package."""

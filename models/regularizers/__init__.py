"""The table of regularizers of weights and embeddings.

Each row maps the name in recipes to the dotted path of a class. No other code names a regularizer.
To add one, write a file with one `Regularizer` or `RowRegularizer` and add a row here. The contract tests run every row.
"""

REGULARIZERS = {
    "l2": "models.regularizers.l2.L2",
    "frequency_l2": "models.regularizers.frequency_l2.FrequencyL2",
}

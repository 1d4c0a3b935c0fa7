"""The table of regularizers: what weights and embeddings cost, besides the losses.

A row is a name for recipes and the dotted path of a class; nothing else names a penalty.
To add one: a file with one `Regularizer` or `RowRegularizer`, and a row here. The contract tests run every row.
"""

REGULARIZERS = {
    "l2": "models.regularizers.l2.L2",
    "frequency_l2": "models.regularizers.frequency_l2.FrequencyL2",
}

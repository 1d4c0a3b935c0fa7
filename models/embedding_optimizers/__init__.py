"""The table of embedding optimizers: how the embedding rows in a batch are updated.

Each row maps the name of a Keras optimizer to the dotted path of its row-wise counterpart. No other code names one.
To add one, write a file with one `EmbeddingOptimizer` and add a row here. The contract tests run every row.
"""

EMBEDDING_OPTIMIZERS = {
    "adam": "models.embedding_optimizers.lazy_adam.LazyAdam",
    "adagrad": "models.embedding_optimizers.rowwise_adagrad.RowwiseAdagrad",
    "sgd": "models.embedding_optimizers.sgd.SGD",
}

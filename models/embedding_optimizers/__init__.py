"""The table of embedding optimizers: how the rows of embedding tables that a batch reads are moved.

A row is the name of the Keras optimizer that it is the row-wise counterpart of, and the dotted path of a class;
nothing else names one. To add one: a file with one `EmbeddingOptimizer`, and a row here. The contract tests run every row.
"""

EMBEDDING_OPTIMIZERS = {
    "adam": "models.embedding_optimizers.lazy_adam.LazyAdam",
    "adagrad": "models.embedding_optimizers.rowwise_adagrad.RowwiseAdagrad",
    "sgd": "models.embedding_optimizers.sgd.SGD",
}

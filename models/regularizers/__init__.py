"""The table of regularizers of weights, embeddings and representations.

Each row maps the name in recipes to the dotted path of a class. No other code names a regularizer.
To add one, write a file with one of the types in `models.regularizers.base` and add a row here. The contract tests run every row.
"""

REGULARIZERS = {
    "l2": "models.regularizers.l2.L2",
    "frequency_l2": "models.regularizers.frequency_l2.FrequencyL2",
    "l1": "models.regularizers.l1.L1",
    "block_sparse": "models.regularizers.block_sparse.BlockSparse",
    "mean_regularized": "models.regularizers.mean_regularized.MeanRegularized",
    "clustered": "models.regularizers.clustered.Clustered",
    "task_distance": "models.regularizers.task_distance.TaskDistance",
    "trace_norm": "models.regularizers.trace_norm.TraceNorm",
    "masked_views": "models.regularizers.masked_views.MaskedViews",
}

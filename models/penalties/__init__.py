"""The table of penalties: what the weights cost, besides the losses.

A row is a name for recipes and the dotted path of a class; nothing else names a penalty.
To add one: a file with one `Penalty`, and a row here. The contract tests run every row.
"""

PENALTIES = {
    "l2": "models.penalties.l2.L2",
}

"""The table of objectives: what a task conditioned on another one is trained on, besides its own loss on the examples that have it.

Each row maps the name in recipes to the dotted path of a class. To add one, write a file with one `Objective` and add a row here.
The contract tests run every row.
"""

OBJECTIVES = {
    "esmm": "models.objectives.esmm.ESMM",
    "escm2": "models.objectives.escm2.ESCM2",
    "dcmt": "models.objectives.dcmt.DCMT",
}

OBJECTIVE = "models.objectives.base.Objective"
"""The base class of all objectives, in the table or from another package."""

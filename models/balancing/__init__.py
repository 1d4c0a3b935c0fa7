"""The table of balancers: how the tasks' losses or gradients become one step.

A row is a name for recipes and the dotted path of a class; nothing else names a balancer.
To add one: a file with one `Weighting` or `GradientCombiner`, and a row here. The contract tests run every row.
"""

BALANCERS = {
    "fixed": "models.balancing.fixed.Fixed",
    "uncertainty": "models.balancing.uncertainty.Uncertainty",
    "gradnorm": "models.balancing.gradnorm.GradNorm",
    "pcgrad": "models.balancing.pcgrad.PCGrad",
}

BALANCER = "models.balancing.base.Balancer"
"""The type of a balancer: of each row, and of a class from outside."""

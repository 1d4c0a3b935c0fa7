"""The table of balancers: how task losses or gradients are combined into one step.

Each row maps the name in recipes to the dotted path of a class. No other code names a balancer.
To add one, write a file with one `Weighting` or `GradientCombiner` and add a row here. The contract tests run every row.
"""

BALANCERS = {
    "fixed": "models.balancing.fixed.Fixed",
    "uncertainty": "models.balancing.uncertainty.Uncertainty",
    "gradnorm": "models.balancing.gradnorm.GradNorm",
    "pcgrad": "models.balancing.pcgrad.PCGrad",
}

BALANCER = "models.balancing.base.Balancer"
"""The type of a balancer: of each row, and of a class from outside."""

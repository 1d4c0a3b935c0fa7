"""The table of balancers: how task losses or gradients are combined into one step.

Each row maps the name in recipes to the dotted path of a class. No other code names a balancer.
To add one, write a file with one `Weighting` or `GradientCombiner` and add a row here. The contract tests run every row.
"""

BALANCERS = {
    "fixed": "models.balancing.fixed.Fixed",
    "uncertainty": "models.balancing.uncertainty.Uncertainty",
    "gradnorm": "models.balancing.gradnorm.GradNorm",
    "pcgrad": "models.balancing.pcgrad.PCGrad",
    "dwa": "models.balancing.dwa.DWA",
    "random_weights": "models.balancing.random_weights.RandomWeights",
    "geometric": "models.balancing.geometric.Geometric",
    "worst_case": "models.balancing.worst_case.WorstCase",
    "imtl_l": "models.balancing.imtl_l.IMTLL",
    "famo": "models.balancing.famo.FAMO",
    "excess_mtl": "models.balancing.excess_mtl.ExcessMTL",
    "metabalance": "models.balancing.metabalance.MetaBalance",
    "dual_balancing": "models.balancing.dual_balancing.DualBalancing",
    "mgda": "models.balancing.mgda.MGDA",
    "cagrad": "models.balancing.cagrad.CAGrad",
    "imtl_g": "models.balancing.imtl_g.IMTLG",
    "nash_mtl": "models.balancing.nash_mtl.NashMTL",
    "aligned_mtl": "models.balancing.aligned_mtl.AlignedMTL",
    "upgrad": "models.balancing.upgrad.UPGrad",
    "conflict_free": "models.balancing.conflict_free.ConFIG",
    "fairgrad": "models.balancing.fairgrad.FairGrad",
    "gradvac": "models.balancing.gradvac.GradVac",
    "graddrop": "models.balancing.graddrop.GradDrop",
    "multibalance": "models.balancing.multibalance.MultiBalance",
}

BALANCER = "models.balancing.base.Balancer"
"""The type of a balancer: of each row, and of a class from outside."""

"""The table of architectures: how tasks share layers.

Each row maps the name in recipes to the dotted path of a class. No other code names an architecture.
To add one, write a file with one `Architecture` and add a row here. The contract tests run every row.
"""

ARCHITECTURES = {
    "single_task": "models.architectures.single_task.SingleTask",
    "linear": "models.architectures.linear.Linear",
    "shared_bottom": "models.architectures.shared_bottom.SharedBottom",
    "mmoe": "models.architectures.mmoe.MMoE",
    "ple": "models.architectures.ple.PLE",
    "soft_sharing": "models.architectures.soft_sharing.SoftSharing",
    "cross_stitch": "models.architectures.cross_stitch.CrossStitch",
    "aitm": "models.architectures.aitm.AITM",
    "stem": "models.architectures.stem.STEM",
    "omoe": "models.architectures.omoe.OMoE",
    "home": "models.architectures.home.HoME",
    "adatt": "models.architectures.adatt.AdaTT",
    "sluice": "models.architectures.sluice.Sluice",
    "snr": "models.architectures.snr.SNR",
    "mtan": "models.architectures.mtan.MTAN",
    "ltb": "models.architectures.ltb.LTB",
    "dbmtl": "models.architectures.dbmtl.DBMTL",
    "resflow": "models.architectures.resflow.ResFlow",
    "joint_many_task": "models.architectures.joint_many_task.JointManyTask",
    "low_supervision": "models.architectures.low_supervision.LowSupervision",
    "pepnet": "models.architectures.pepnet.PEPNet",
    "poso": "models.architectures.poso.POSO",
    "task_conditioned": "models.architectures.task_conditioned.TaskConditioned",
    "deep_relationship": "models.architectures.deep_relationship.DeepRelationship",
    "fully_adaptive": "models.architectures.fully_adaptive.FullyAdaptive",
}

ARCHITECTURE = "models.architectures.base.Architecture"
"""The type of an architecture: of each row, and of a class from outside."""

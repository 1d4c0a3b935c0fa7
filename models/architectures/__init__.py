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
    "deep_relationship": "models.architectures.deep_relationship.DeepRelationship",
}

ARCHITECTURE = "models.architectures.base.Architecture"
"""The type of an architecture: of each row, and of a class from outside."""

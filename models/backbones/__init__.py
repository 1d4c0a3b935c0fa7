"""The table of backbones: what mixes the features, under any way to share between tasks.

A row is a name for recipes and the dotted path of a class; nothing else names a backbone.
To add one: a file with one `Backbone`, and a row here. The contract tests run every row.
"""

BACKBONES = {
    "none": "models.backbones.none.NoBackbone",
    "dcn_v2": "models.backbones.dcn_v2.DCNv2",
}

BACKBONE = "models.backbones.base.Backbone"
"""The type of a backbone: of each row, and of a class from outside."""

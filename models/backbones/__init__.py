"""The table of backbones: layers that mix the features before any architecture.

Each row maps the name in recipes to the dotted path of a class. No other code names a backbone.
To add one, write a file with one `Backbone` and add a row here. The contract tests run every row.
"""

BACKBONES = {
    "none": "models.backbones.none.NoBackbone",
    "dcn_v2": "models.backbones.dcn_v2.DCNv2",
    "dot": "models.backbones.dot.Dot",
    "fm": "models.backbones.fm.FM",
    "masknet": "models.backbones.masknet.MaskNet",
    "token_mixer": "models.backbones.token_mixer.TokenMixer",
}

BACKBONE = "models.backbones.base.Backbone"
"""The type of a backbone: of each row, and of a class from outside."""

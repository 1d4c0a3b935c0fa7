"""A SavedModel is loaded from a folder of any name, and its assets stay while it is used."""

from __future__ import annotations

from pathlib import Path

import tensorflow as tf

from models.serving.loading import load_saved_model


def test_from_a_folder_whose_name_reads_as_a_glob(tmp_path: Path) -> None:
    (tmp_path / "words.txt").write_text("a\nb\n")
    module = tf.Module()
    module.factor = tf.Variable(3.0)
    module.file = tf.saved_model.Asset(str(tmp_path / "words.txt"))
    module.call = tf.function(lambda: (module.factor, tf.io.read_file(module.file.asset_path)), input_signature=[])
    for name in ("plain", "runs [2026] 50% #1"):
        tf.saved_model.save(module, str(tmp_path / name))
    for name in ("plain", "runs [2026] 50% #1"):
        loaded = load_saved_model(tmp_path / name)
        factor, words = loaded.call()
        assert float(factor) == 3.0 and words.numpy() == b"a\nb\n"
        tf.saved_model.save(loaded, str(tmp_path / "again"))

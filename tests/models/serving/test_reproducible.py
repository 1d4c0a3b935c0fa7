from __future__ import annotations

from pathlib import Path
from typing import Any

import tensorflow as tf
from tensorflow.core.protobuf import fingerprint_pb2, saved_model_pb2

from models.serving.reproducible import settle, variables_read


def test_variables_stand_in_the_order_of_reading() -> None:
    variables = [tf.Variable(float(i)) for i in range(40)]
    order = [(7 * i) % 40 for i in range(40)]

    @tf.function(input_signature=[])
    def reads() -> Any:
        return tf.add_n([variables[i].read_value() for i in order])

    @tf.function(input_signature=[])
    def reads_again() -> Any:
        return variables[3] + variables[5]

    assert [float(v) for v in variables_read(reads, reads_again)] == [float(i) for i in order]


def exported(folder: Path) -> Path:
    """A SavedModel that looks words up, the vocabulary being in the folder."""
    folder.mkdir()
    (folder / "words.txt").write_text("a\nb\n")
    index = tf.lookup.TextFileIndex
    lines = tf.lookup.TextFileInitializer(
        str(folder / "words.txt"), tf.string, index.WHOLE_LINE, tf.int64, index.LINE_NUMBER
    )
    module = tf.Module()
    module.table = tf.lookup.StaticHashTable(lines, -1)
    module.look = tf.function(lambda x: module.table.lookup(x), input_signature=[tf.TensorSpec((None,), tf.string)])
    tf.saved_model.save(module, str(folder / "model"))
    return folder / "model"


def test_no_folder_and_no_chance_is_left_in_an_export(tmp_path: Path) -> None:
    model = exported(tmp_path / "first")
    before = (model / "saved_model.pb").read_bytes()
    assert str(tmp_path).encode() in before
    settle(model)
    once = {file: (model / file).read_bytes() for file in ("saved_model.pb", "fingerprint.pb")}
    assert str(tmp_path).encode() not in once["saved_model.pb"]
    (model / "saved_model.pb").write_bytes(before)
    settle(model)
    assert {file: (model / file).read_bytes() for file in once} == once, "TensorFlow's random identifier is gone"
    assert saved_model_pb2.SavedModel.FromString(once["saved_model.pb"]).meta_graphs
    assert int(fingerprint_pb2.FingerprintDef.FromString(once["fingerprint.pb"]).uuid) > 0
    assert tf.saved_model.load(str(model)).look(["b", "z"]).numpy().tolist() == [1, -1]

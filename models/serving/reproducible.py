"""Two exports of one model are the same bytes: what TensorFlow leaves to chance in a SavedModel is settled here.

Three things are: the order of a function's variables, which it keeps in a set; the names of lookup tables, which hold the
temporary folder of their vocabularies; and the identifier in fingerprint.pb, a random number. What still differs
between two runs of one recipe is the second of the export, in assets.extra/inputs.json. Where one process made more graphs
before the export than the other, as with another number of partitions, TensorFlow's numbers of functions in
saved_model.pb differ, too; variables and answers do not.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Any

import tensorflow as tf
from tensorflow.core.protobuf import fingerprint_pb2, saved_model_pb2
from tensorflow.python.saved_model.fingerprinting_utils import write_fingerprint

_TABLE = re.compile(rb"^hash_table_.*/")


def variables_read(*functions: Any) -> list[tf.Variable]:
    """The variables that `tf.function`s read, each once, in the order in which they read them."""
    found: dict[int, tf.Variable] = {}
    for function in functions:
        graph = function.get_concrete_function().graph
        places = {id(handle): place for place, (handle, _) in enumerate(graph.captures)}
        for variable in sorted(graph.variables, key=lambda variable: places[id(variable.handle)]):
            found.setdefault(id(variable), variable)
    return list(found.values())


def settle(folder: Path) -> None:
    """Takes the folders out of the names of a SavedModel's lookup tables, and chance out of its fingerprint."""
    file = folder / "saved_model.pb"
    model = saved_model_pb2.SavedModel.FromString(file.read_bytes())
    for meta_graph in model.meta_graphs:
        graph = meta_graph.graph_def
        for nodes in (graph.node, *(function.node_def for function in graph.library.function)):
            for node in nodes:
                if "shared_name" in node.attr:
                    node.attr["shared_name"].s = _TABLE.sub(b"hash_table_", node.attr["shared_name"].s)
    content = model.SerializeToString(deterministic=True)
    file.write_bytes(content)
    write_fingerprint(str(folder))
    file = folder / "fingerprint.pb"
    fingerprint = fingerprint_pb2.FingerprintDef.FromString(file.read_bytes())
    fingerprint.uuid = str(int.from_bytes(hashlib.blake2b(content, digest_size=16).digest()))
    file.write_bytes(fingerprint.SerializeToString(deterministic=True))

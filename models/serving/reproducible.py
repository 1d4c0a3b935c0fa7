"""Makes exports reproducible: two exports of one model have the same bytes.

TensorFlow is nondeterministic in three places: the order of a function's variables, which are in a set; the names of lookup
tables, which contain the temporary folder of their vocabularies; and the identifier in fingerprint.pb, a random number.
Two runs of one recipe still differ in the export time in assets.extra/inputs.json. If one process built more graphs
before the export, such as with another number of partitions, the function numbers in saved_model.pb differ, too;
variables and predictions do not.
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
    """Variables that `tf.function`s read, without duplicates, in order of use."""
    found: dict[int, tf.Variable] = {}
    for function in functions:
        graph = function.get_concrete_function().graph
        places = {id(handle): place for place, (handle, _) in enumerate(graph.captures)}
        for variable in sorted(graph.variables, key=lambda variable: places[id(variable.handle)]):
            found.setdefault(id(variable), variable)
    return list(found.values())


def settle(folder: Path) -> None:
    """Removes folder names from the lookup tables of a SavedModel, and makes its fingerprint deterministic."""
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

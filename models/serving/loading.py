"""Loads a SavedModel from a folder of any name."""

from __future__ import annotations

import glob
import os
import shutil
import tempfile
import weakref
from typing import Any

import tensorflow as tf


def load_saved_model(folder: str | os.PathLike[str]) -> Any:
    """Like `tf.saved_model.load`, but also for a folder such as `runs [2026]`, whose path TensorFlow reads as a glob.

    Such a folder is loaded through a link, which exists as long as the loaded model, because the assets are read there.
    """
    path = os.fspath(folder)
    if not glob.has_magic(path):
        return tf.saved_model.load(path)
    place = tempfile.mkdtemp(prefix="gatewise-")
    link = os.path.join(place, "model")
    try:
        os.symlink(os.path.abspath(path), link)
        loaded = tf.saved_model.load(link)
    except BaseException:
        shutil.rmtree(place, ignore_errors=True)
        raise
    weakref.finalize(loaded, shutil.rmtree, place, ignore_errors=True)
    return loaded

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
    """As `tf.saved_model.load`, which takes the path of the variables for a glob and finds none below `runs [2026]`.

    Such a folder is loaded through a link, which lasts as long as what is loaded: its assets are found there.
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

"""The same pipeline on Kubeflow Pipelines: compiled into one file, and what each of its steps runs.

`compile.py` turns a recipe into the file, `entrypoint.py` is the command of every step, `parameters.py` is what can be
changed from run to run without compiling again. `schedule.py` lets it run every night.
"""

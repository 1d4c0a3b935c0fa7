"""The pipeline on Kubeflow Pipelines.

`compile.py` compiles a recipe into one file, `entrypoint.py` is the command of every step, `parameters.py` has the runtime
parameters that need no recompilation, and `schedule.py` manages the recurring run.
"""

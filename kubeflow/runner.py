"""Compiles a recipe for Kubeflow Pipelines, like `gatewise compile`: python kubeflow/runner.py RECIPE --out pipeline.yaml"""

import sys

from pipeline.cli import main

if __name__ == "__main__":
    main(["compile", *sys.argv[1:]])

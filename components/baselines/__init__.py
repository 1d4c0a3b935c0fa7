"""Baselines without a metadata store: finds the model and the statistics of earlier runs in folders."""

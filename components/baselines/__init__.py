"""Baselines where no metadata store can be asked: the model and the statistics of earlier runs, found in folders."""

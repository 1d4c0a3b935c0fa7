"""Kubeflow Pipelines without a cluster: what its API server, driver and launcher do with a compiled file.

Written from the sources of 2.16: the checks at upload and at the start of a run, the filling of placeholders, the copies
between store and pod, the round trip of an artifact's metadata, retries. One folder stands for the disk of each pod: what a
step does not upload is lost, as on a cluster.
"""

"""Kubeflow Pipelines without a cluster: what its API server, driver and launcher do with a compiled file.

After the behaviour of 2.16 and 2.17, as far as it is known: the checks at upload and at the start of a run, the filling of placeholders, the copies
between store and pod, the round trip of an artifact's metadata, retries. One folder stands for the disk of each pod: what a
step does not upload is lost, as on a cluster.
"""

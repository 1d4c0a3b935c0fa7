"""Kubeflow Pipelines' API on the loopback: the routes of v2beta1 that `kfp.Client` calls for a schedule, with their state.

After the sources of the API server of 2.16 and 2.17 (`server/`, `resource/resource_manager.go`, `storage/`): what it checks,
what is unique and what is not, the shapes of its answers and errors. Kubernetes' part in it is a garbage collector: a
deleted recurring run takes its runs in progress along, unless they are orphaned.
"""

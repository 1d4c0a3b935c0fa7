"""The files that are submitted to Kubeflow, as data: neither TensorFlow nor TFX, nor the SDK of Kubeflow."""

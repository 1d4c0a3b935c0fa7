"""Push: copies the blessed model as a new version into the folder that TensorFlow Serving watches."""

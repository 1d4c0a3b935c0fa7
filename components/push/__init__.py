"""Push: the blessed model becomes a version in the folder that TensorFlow Serving watches."""

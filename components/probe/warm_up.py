"""The name under which the probe leaves requests of real rows beside its blessing, for the push."""

WARM_UP = "tf_serving_warmup_requests"

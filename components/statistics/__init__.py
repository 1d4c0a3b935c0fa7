"""Statistics of the examples, split by split, in TFDV's protos. The schema and the drift checks use them."""

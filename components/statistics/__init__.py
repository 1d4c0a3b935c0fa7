"""Statistics of the examples, split by split, in TFDV's protos: what the schema and the drift checks stand on."""

"""Statistics of the examples, split by split, as TFDV computes them: what the schema and the drift checks stand on."""

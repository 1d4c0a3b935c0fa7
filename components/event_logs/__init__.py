"""Stage 1: event logs, or labelled examples, become the pipeline's examples."""

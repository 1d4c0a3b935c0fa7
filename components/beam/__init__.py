"""What several stages do with Beam: run a pipeline, merge in order, know a value everywhere, work on threads."""

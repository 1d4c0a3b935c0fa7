"""The local web page of `gatewise ui`: a playground for the pushed models, and the runs, versions and comparisons of a root."""

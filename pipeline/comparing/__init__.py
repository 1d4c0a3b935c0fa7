"""`gatewise compare`: trains several methods on the same logs, and says which one to ship and how sure that is."""

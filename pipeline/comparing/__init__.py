"""`gatewise compare` and `gatewise tune`: many trainings of one recipe on the same rows, and what they show."""

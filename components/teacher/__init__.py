"""The stage Teacher: the newest blessed model predicts the train split, for the distillation in the Trainer."""

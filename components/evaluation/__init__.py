"""Evaluation: metrics per task and slice, the gates, and the blessing without which nothing is pushed."""

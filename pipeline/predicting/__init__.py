"""Predictions for the rows of Parquet, CSV and JSON lines files, streamed in bounded memory."""

"""Infra validator: loads the model into a production model server before the push."""

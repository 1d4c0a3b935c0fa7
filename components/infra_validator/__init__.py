"""Infra validator: a model server as it runs in production loads the model before it may be pushed."""

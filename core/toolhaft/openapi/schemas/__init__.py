"""Schemas of documents become JSON Schema for models."""

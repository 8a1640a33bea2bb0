"""Queries with the tools that answer them, read from the layouts in which they are published."""

"""Answers become values, and failures errors that help."""

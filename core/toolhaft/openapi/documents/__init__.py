"""Documents are read, within limits, and their references resolved."""

"""Retrievers: the tools that an instruction needs."""

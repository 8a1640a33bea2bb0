"""Curation: what an owner says of imported tools, in a file of its own, applied again after each import."""

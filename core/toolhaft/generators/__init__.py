"""Generators: training data from tools."""

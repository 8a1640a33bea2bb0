"""Plugins: markers, hook specifications and the registry."""

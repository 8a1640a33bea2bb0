"""OpenAPI documents become tools."""

"""Image tools that need no weights, with typed results."""

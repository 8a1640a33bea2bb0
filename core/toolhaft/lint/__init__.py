"""What a model would struggle with in a catalog of tools: findings, scores, and what to do."""

"""Training of the encoder on tools: what ``toolhaft train retriever`` does."""

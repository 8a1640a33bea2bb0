"""A retriever of tools by meaning: sentence embeddings."""

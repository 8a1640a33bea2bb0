"""What a model would struggle with in a catalog."""

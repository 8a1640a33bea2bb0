"""Model cards of HuggingFace, TorchHub and TensorFlow Hub as tools, and local models run."""

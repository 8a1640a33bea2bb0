"""Fine-tuning of language models on tool calls, with LoRA."""

"""Language models and what stands in for them: one file per model."""

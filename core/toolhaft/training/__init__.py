"""What every training run keeps, whatever is trained and with what: checkpoints, a log, a model card."""

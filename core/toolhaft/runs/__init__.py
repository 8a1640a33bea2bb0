"""Running many rollouts."""

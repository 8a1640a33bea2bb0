"""The loop, closed: import, generate, solve, train, evaluate, on one machine and without a download."""

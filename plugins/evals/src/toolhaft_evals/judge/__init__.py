"""Judging answers: by a model's votes, which are all recorded, or by a rule where there is one."""

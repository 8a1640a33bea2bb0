"""The error that a kept file is damaged; by itself, so that nothing that is imported early needs NumPy."""

from __future__ import annotations

from pathlib import Path


class DamagedError(ValueError):
    """Bytes are not what was written.

    Attributes:
        file: Where.
    """

    def __init__(self, what: str, file: Path) -> None:
        super().__init__(what)
        self.file = file

"""Where the real data is."""

from __future__ import annotations

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def default_folder(name: str) -> Path:
    """Return a folder of the real data: under ``TOOLHAFT_SHARED``, by default ``../shared``."""
    return Path(os.environ.get("TOOLHAFT_SHARED", ROOT / "../shared")) / "data" / name


def require(folder: Path) -> None:
    """End with one line if the folder is not there."""
    if not folder.is_dir():
        print(f"skipped: no real data at {folder}; set TOOLHAFT_SHARED or --data")
        sys.exit(0)

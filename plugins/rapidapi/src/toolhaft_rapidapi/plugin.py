"""What this distribution brings."""

from __future__ import annotations

"""The key by which an API knows that a call came before."""

from __future__ import annotations

import uuid

_SPACE = uuid.UUID("5f0c3c0e-6a0e-5d53-9f5e-3f5ad2c3a5c1")


def idempotency_key(call: str) -> str:
    """Return the key that is sent for a call: a UUID, which APIs that ask for a form ask for.

    Args:
        call: The journal's name of the call, which gives the same key again; empty for one that is new.
    """
    return str(uuid.uuid5(_SPACE, call) if call else uuid.uuid4())

"""A secret by reference: what configs, records and traces hold in place of the value."""

from __future__ import annotations

import re
from dataclasses import dataclass

from toolhaft.errors import ConfigError


@dataclass(frozen=True, slots=True)
class SecretRef:
    """Where a secret is kept, for example ``env:PETSTORE_KEY``.

    Attributes:
        name: ``<store>:<key>``; ``env`` is the environment, ``memory`` what an embedder handed over.
    """

    name: str

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[a-z]+:[A-Za-z0-9_.-]{1,128}", self.name):
            # The text is not repeated: it may be the secret itself.
            raise ConfigError(
                "a secret must be given by reference, not by value",
                hint="Put the value into an environment variable and write 'env:NAME'",
            )

    def __str__(self) -> str:
        return self.name

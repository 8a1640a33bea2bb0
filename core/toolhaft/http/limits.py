"""What an answer may cost, at most."""

from __future__ import annotations

from dataclasses import dataclass

from toolhaft.errors import ConfigError


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Caps of every exchange of a client.

    Attributes:
        seconds: For everything that one `send` does: names, connections, tries, waits, redirects, body.
        raw_bytes: Of a body as it comes, before decompression.
        decoded_bytes: Of a body after decompression.
        header_bytes: Of an answer's status line and headers, informational answers included.
        header_count: Header fields of an answer.
        redirects: Hops that are followed.
        informational: Answers with a 1xx status before the real one.
        connections: To one origin at once, with one set of credentials.
        idle_seconds: How long a connection without work is kept.
        rate: Requests a second to one origin; None is no limit of ours.
    """

    seconds: float = 30.0
    raw_bytes: int = 10_000_000
    decoded_bytes: int = 10_000_000
    header_bytes: int = 65_536
    header_count: int = 200
    redirects: int = 5
    informational: int = 20
    connections: int = 50
    idle_seconds: float = 15.0
    rate: float | None = None

    def __post_init__(self) -> None:
        for name in ("seconds", "raw_bytes", "decoded_bytes", "header_bytes", "header_count", "connections"):
            if getattr(self, name) <= 0:
                raise ConfigError(f"Limits({name}=...) must be above 0")
        if self.rate is not None and self.rate <= 0:
            raise ConfigError("Limits(rate=...) must be above 0", hint="None is no limit")

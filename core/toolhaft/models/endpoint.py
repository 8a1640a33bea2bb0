"""Where a chat model is asked: an address, a model's name, and the key that goes there and nowhere else."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

from toolhaft.errors import ConfigError, EgressError
from toolhaft.settings import Settings
from toolhaft.types import SecretRef

if TYPE_CHECKING:
    from toolhaft.http.message import Credential

OPENAI_URL = "https://api.openai.com/v1"
DEFAULT_KEY = "env:OPENAI_API_KEY"
AUTO_KEY = "auto"


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """An endpoint of the chat-completions format.

    Attributes:
        base_url: Without a slash at the end, as in ``http://127.0.0.1:8000/v1``.
        origin: ``scheme://host:port``.
        query: What must stand behind each path, for example ``api-version=...``, or empty.
        model: Its name there; empty means the only one that is served.
        key: Reference of the key, or None to send none.
    """

    base_url: str
    origin: str
    query: str = ""
    model: str = ""
    key: SecretRef | None = None

    @property
    def is_openai(self) -> bool:
        """Whether this is OpenAI's own service."""
        return self.base_url == OPENAI_URL

    @property
    def name(self) -> str:
        """The reference that leads here: ``openai:gpt-5`` or ``http://127.0.0.1:8000/v1#qwen3``."""
        return f"openai:{self.model}" if self.is_openai else f"{self.base_url}#{self.model}"

    def url(self, path: str) -> str:
        """Return the address of ``chat/completions`` or ``models``."""
        return f"{self.base_url}/{path}?{self.query}" if self.query else f"{self.base_url}/{path}"

    def credentials(self) -> tuple[Credential, ...]:
        """Return the key for a request, bound to this origin."""
        from toolhaft.http.message import Credential

        if self.key is None:
            return ()
        return (Credential(secret=self.key, origins=(self.origin,), name="Authorization", prefix="Bearer "),)

    def named(self, model: str) -> Endpoint:
        """Return the same endpoint with a model's name."""
        return replace(self, model=model)


def find_endpoint(name: str, base_url: str | None, api_key: str | None, settings: Settings) -> Endpoint:
    """Return the endpoint of a model.

    Args:
        name: The model's name; or a whole address, the name behind ``#``.
        base_url: Overrides the address; by default ``OPENAI_BASE_URL``, else OpenAI's.
        api_key: Reference of the key; None for none; ``auto`` for ``env:OPENAI_API_KEY`` where the
            address is OpenAI's or that of ``OPENAI_BASE_URL``, and none for any other.
        settings: What the environment says.

    Raises:
        ConfigError: The address or the key makes no sense.
    """
    model = name.removeprefix("openai:").strip()
    if model.startswith(("http://", "https://")):
        address, _, model = model.partition("#")
        base_url = base_url or address
    chosen = base_url or settings.openai_base_url or OPENAI_URL
    address, origin, query = _read_address(chosen)
    if api_key == AUTO_KEY:
        trusted = {_read_address(url)[1] for url in (OPENAI_URL, settings.openai_base_url) if url}
        # A key belongs to the service it was issued by: no other address is sent it unasked.
        use_key = origin in trusted and (address == OPENAI_URL or settings.has_openai_key)
        api_key = DEFAULT_KEY if use_key else None
    if not model and address == OPENAI_URL:
        raise ConfigError("no model is named", hint="Write its name, as in 'openai:gpt-5-mini'")
    if any(not character.isprintable() for character in model) or len(model) > 300:
        raise ConfigError("the model's name is no name", hint="Write it as in 'openai:gpt-5-mini'")
    return Endpoint(
        base_url=address,
        origin=origin,
        query=query,
        model=model,
        key=None if api_key is None else SecretRef(api_key),
    )


def _read_address(url: str) -> tuple[str, str, str]:
    """Return base address, origin and query of an endpoint's URL."""
    from toolhaft.http.origin import origin_of

    hint = "Write it as in 'http://127.0.0.1:8000/v1'"
    try:
        origin = origin_of(url)
        parts = urlsplit(url)
    except EgressError as error:
        raise ConfigError(
            f"the model's address is refused: {error.what}", where=error.where, hint=hint
        ) from None
    except ValueError:
        raise ConfigError("the model's address is not a URL", hint=hint) from None
    path = parts.path.rstrip("/").removesuffix("/chat/completions")
    return urlunsplit((parts.scheme, parts.netloc, path, "", "")), origin, parts.query

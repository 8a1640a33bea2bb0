"""A person types a short code on another device, while we ask again and again whether it was done.

Source: RFC 8628. The server's interval is kept, lengthened where it asks us to slow down.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from toolhaft.auth.endpoint import TokenEndpoint
from toolhaft.auth.token import Token, read_fields, refusal
from toolhaft.errors import AuthError
from toolhaft.http.origin import origin_of
from toolhaft.secrets import SecretStore
from toolhaft.text import terminal_safe

_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
_INTERVAL = 5.0
_LONGEST_INTERVAL = 60.0
_SLOWER = 5.0


async def ask_device(
    url: str,
    endpoint: TokenEndpoint,
    secrets: SecretStore,
    show: Callable[[str], None],
    *,
    scheme: str,
    scopes: tuple[str, ...] = (),
    seconds: float = 300.0,
) -> Token:
    """Show the person the code and where to type it, and wait.

    Args:
        url: The device authorisation address, confirmed before.
        endpoint: Where the token comes from.
        secrets: Gets to know the device code.
        show: Takes the lines for the person.
        scheme: Name of the security scheme.
        scopes: What to ask for.
        seconds: How long to wait.

    Raises:
        AuthError: The person said no, or nothing in time.
        HTTPError: A server could not be reached.
    """
    form = {"scope": " ".join(scopes)} if scopes else {}
    response = await endpoint.post(url, form)
    where = origin_of(url)
    fields = read_fields(response, scheme=scheme, where=where, what="device address")
    if response.status >= 400 or "error" in fields:
        raise refusal(fields, response.status, scheme=scheme, secrets=secrets, where=where)
    code = _text(fields, "device_code", scheme, where)
    secrets.register(code)
    address = _text(fields, "verification_uri", scheme, where)
    if urlsplit(address).scheme not in ("https", "http"):
        raise AuthError(f"the device address of {scheme!r} names no web page to go to", where=where)
    show(f"Open {terminal_safe(address)} and type {terminal_safe(_text(fields, 'user_code', scheme, where))}")
    limit = min(seconds, _number(fields.get("expires_in"), seconds))
    interval = min(_number(fields.get("interval"), _INTERVAL), _LONGEST_INTERVAL)
    return await _poll(endpoint, code, scheme, interval, time.monotonic() + limit)


async def _poll(endpoint: TokenEndpoint, code: str, scheme: str, interval: float, deadline: float) -> Token:
    while time.monotonic() + interval < deadline:
        await asyncio.sleep(interval)
        try:
            return await endpoint.ask({"grant_type": _GRANT, "device_code": code})
        except AuthError as error:
            said = error.details.get("error")
            if said == "slow_down":
                interval = min(interval + _SLOWER, _LONGEST_INTERVAL)
            elif said != "authorization_pending":
                raise
    raise AuthError(f"nobody typed the code for {scheme!r} in time", details={"scheme": scheme})


def _text(fields: dict[str, Any], name: str, scheme: str, where: str) -> str:
    value = fields.get(name, fields.get("verification_url") if name == "verification_uri" else None)
    if not isinstance(value, str) or not 4 <= len(value) <= 2048 or not value.isprintable():
        raise AuthError(
            f"the device address of {scheme!r} answered without {name}",
            where=where,
            details={"scheme": scheme},
        )
    return value


def _number(value: Any, default: float) -> float:
    known = isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < 1e6
    return float(value) if known else default

"""A request that is shown instead of sent: as HTTP, as JSON, or as a curl command for the same bytes."""

from __future__ import annotations

import base64
import re
import shlex
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from toolhaft.cli.output import notice, print_json, print_line
from toolhaft.text import terminal_safe

if TYPE_CHECKING:
    from toolhaft.http.message import Credential, Request

_LONGEST_WORD = 100_000
"""Bytes of a body that a command line holds as one word; systems refuse more than 128 kB."""
_EXPECTING = 1000
"""From this many bytes on, curl asks before it sends a body, unless it is told not to."""
_SHOWN = 100_000


def print_request(request: Request, *, curl: bool, as_json: bool) -> None:
    """Print a request; secrets are named, never shown."""
    if as_json:
        print_json({**_as_json(request), **({"curl": curl_command(request)} if curl else {})})
    elif curl:
        print_line(curl_command(request))
    else:
        _print_http(request)
    if request.key_header:
        notice(f"A call sends a key of its own as {request.key_header}.")


def curl_command(request: Request) -> str:
    """Return a command for a POSIX shell that sends the request byte for byte.

    A body that is not plain text, or too long for one word, goes through ``base64``. Secrets are the shell's
    variables of the same names; one in the query needs curl 7.87. Headers that are not in the request are
    curl's own.
    """
    body = request.body
    words = ["curl"]
    if request.method == "HEAD":
        words.append("-I")
    else:
        words += ["-X", shlex.quote(request.method)]
    words.append(shlex.quote(request.url))
    if re.search(r"[\[\]{}]", request.url):
        words.append("-g")
    if re.search(r"/\.\.?(?:/|$|\?)", request.url):
        words.append("--path-as-is")
    names = {name.lower() for name, _ in request.headers}
    own_cookies = any(credential.place == "cookie" for credential in request.credentials)
    for name, value in request.headers:
        if name.lower() != "cookie" or not own_cookies:
            words += ["-H", shlex.quote(f"{name}: {value}" if value else f"{name};")]
    words += list(_secret_words(request))
    before = ""
    if body is not None:
        if "content-type" not in names:
            words += ["-H", "'content-type:'"]
        if len(body) > _EXPECTING:
            words += ["-H", "'expect:'"]
        text = plain_text(body)
        if text is not None and len(body) <= _LONGEST_WORD:
            words += ["--data-raw", shlex.quote(text)]
        else:
            before = f"printf %s '{base64.b64encode(body).decode()}' | base64 -d | "
            words += ["--data-binary", "@-"]
    return before + " ".join(words)


def plain_text(body: bytes) -> str | None:
    """Return a body as text, if a terminal shows it as it is and a copy of that is the same."""
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return None
    return text if terminal_safe(text) == text and "\r" not in text else None


def _secret_words(request: Request) -> Iterator[str]:
    cookies = [value for name, value in request.headers if name.lower() == "cookie"]
    words = [shlex.quote(f"cookie: {'; '.join(cookies)}")]
    for credential in request.credentials:
        if credential.basic_user is not None:
            yield from ("-u", f"{_user(credential)}{shlex.quote(':')}{_variable(credential)}")
        elif credential.place == "header":
            yield from (
                "-H",
                f"{shlex.quote(f'{credential.name}: {credential.prefix}')}{_variable(credential)}",
            )
        elif credential.place == "query":  # curl encodes what the variable holds, as the call does
            yield from ("--url-query", f"{shlex.quote(f'{credential.name}=')}{_variable(credential)}")
        elif credential.place == "cookie":
            glue = "; " if cookies or len(words) > 1 else ""
            words.append(f"{shlex.quote(f'{glue}{credential.name}=')}{_variable(credential)}")
    if len(words) > 1:
        yield from ("-H", "".join(words))
    if request.certificate is not None:
        yield from ("--cert", _path(request.certificate.certificate))
        if request.certificate.key:
            yield from ("--key", _path(request.certificate.key))


def _path(place: Any) -> str:
    return shlex.quote(place) if isinstance(place, str) else _named(str(place))


def _variable(credential: Credential) -> str:
    """Return a secret as the shell's variable where it is one of the environment, else its reference."""
    return _named(str(credential.secret))


def _user(credential: Credential) -> str:
    user = credential.basic_user
    return (
        _named(str(user)) if user is not None and not isinstance(user, str) else shlex.quote(str(user or ""))
    )


def _named(reference: str) -> str:
    scheme, _, name = reference.partition(":")
    known = scheme == "env" and name.isascii() and name.isidentifier()
    return f'"${name}"' if known else shlex.quote(f"<{reference}>")


def _as_json(request: Request) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "method": request.method,
        "url": request.url,
        "headers": [*request.headers, *_secret_headers(request)],
        "body": None,
    }
    others = [
        {"place": credential.place, "name": credential.name, "secret": f"<{credential.secret}>"}
        for credential in request.credentials
        if credential.place != "header"
    ]
    if others:
        shown["credentials"] = others
    if request.body is not None:
        text = plain_text(request.body)
        if text is None:
            shown["body_base64"] = base64.b64encode(request.body).decode()
        else:
            shown["body"] = text
    return shown


def _print_http(request: Request) -> None:
    print_line(f"{request.method} {request.url}")
    for name, value in (*request.headers, *_secret_headers(request)):
        print_line(f"{name}: {value}")
    for credential in request.credentials:
        if credential.place != "header":
            print_line(f"({credential.place} {credential.name}=<{credential.secret}>)")
    if request.body is None:
        return
    print_line()
    media_type = next((value for name, value in request.headers if name.lower() == "content-type"), "")
    for line in _body_lines(request.body, media_type):
        print_line(line)


def _body_lines(body: bytes, media_type: str) -> Iterator[str]:
    """Yield a body as text; of a multipart one, what of each part can be shown."""
    boundary = re.search(r'boundary="?([^";]+)"?', media_type)
    if not media_type.lower().startswith("multipart/") or boundary is None:
        yield _shown(body)
        return
    mark = b"--" + boundary[1].encode("utf-8", "replace")
    for part in body.split(mark)[1:]:
        if part.startswith(b"--"):
            yield f"--{boundary[1]}--"
            return
        head, _, content = part.strip(b"\r\n").partition(b"\r\n\r\n")
        yield f"--{boundary[1]}"
        yield head.decode("utf-8", "replace").replace("\r\n", "\n")
        yield ""
        yield _shown(content)


def _shown(body: bytes) -> str:
    try:
        text = body.decode()
    except UnicodeDecodeError:
        text = ""
    lined = text.replace("\r\n", "\n")
    if len(body) > _SHOWN or (body and terminal_safe(lined) != lined) or (body and not text):
        return f"<{len(body)} bytes, {body[:8].hex(' ')} ...>"
    return text


def _secret_headers(request: Request) -> list[tuple[str, str]]:
    return [
        (credential.name, f"{credential.prefix}<{credential.secret}>")
        for credential in request.credentials
        if credential.place == "header"
    ]

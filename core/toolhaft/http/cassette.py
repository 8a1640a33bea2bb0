"""Answers kept in a file, to be given again without a network."""

from __future__ import annotations

import base64
import hashlib
import threading
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal
from urllib.parse import parse_qsl, urlencode

import orjson

from toolhaft import errors
from toolhaft.errors import ConfigError, FormatError, HTTPError, ReplayMissError, UsageError
from toolhaft.http.credentials import identity_for
from toolhaft.http.exchange import record_exchange, redact_headers
from toolhaft.http.message import Request, Response
from toolhaft.http.origin import parse_url
from toolhaft.secrets import MASK, SecretStore

Mode = Literal["record", "replay"]

_KIND = "toolhaft-cassette"
_FORMAT = 1
_LARGEST = 256_000_000
_VARYING_HEADERS = frozenset(
    {
        "accept-encoding",
        "connection",
        "content-length",
        "date",
        "host",
        "idempotency-key",
        "traceparent",
        "tracestate",
        "user-agent",
        "x-correlation-id",
        "x-request-id",
    }
)
"""Headers that differ from run to run, and say nothing of what is asked for."""
_SECRET_HEADERS = frozenset(("authorization", "cookie"))
"""Headers that hold a secret even where the filter does not know it."""
_ERRORS = {
    error.code: error
    for error in vars(errors).values()
    if isinstance(error, type) and issubclass(error, HTTPError)
}


class Cassette:
    """Answers by request, in a JSONL file with no secret in it.

    A request is known by its method, its URL with the query sorted, its body (JSON in canonical form), what
    it accepts, and whose credentials it carries: their references and places, never their values. So the
    same request with a key that was replaced gets its answer, and one with another reference does not. Equal
    requests get their answers in the order in which they were recorded, then the last one again.

    Attributes:
        path: The file.
        mode: ``record`` or ``replay``.
    """

    def __init__(self, path: Path, mode: Mode, entries: dict[str, list[dict[str, Any]]]) -> None:
        self.path = path
        self.mode = mode
        self._entries = entries
        self._played: dict[str, int] = defaultdict(int)
        self._lock = threading.Lock()

    @classmethod
    def open(cls, path: str | Path, mode: Mode = "replay") -> Cassette:
        """Open a cassette; recording goes on after what the file holds.

        Raises:
            UsageError: There is no such file to replay, or no such mode.
            FormatError: The file is not a cassette, or of a newer format.
        """
        if mode not in ("record", "replay"):
            raise UsageError(f"no cassette mode {mode!r}", hint="It is 'record' or 'replay'")
        path = Path(path)
        if mode == "replay":
            return cls(path, mode, _load(path))
        if path.exists() and path.stat().st_size:
            entries = _load(path)
            _drop_torn_line(path)
            return cls(path, mode, entries)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(orjson.dumps({"kind": _KIND, "format": _FORMAT}) + b"\n")
        return cls(path, mode, {})

    def record(self, request: Request, response: Response, secrets: SecretStore) -> None:
        """Keep an answer."""
        entry = _described(request, secrets)
        entry["status"] = response.status
        entry["answered"] = secrets.redact(response.url)
        entry["headers"] = [list(pair) for pair in redact_headers(secrets, response.headers)]
        body = secrets.redact_bytes(response.body)
        try:
            entry["body"] = body.decode("utf-8")
        except UnicodeDecodeError:
            entry["base64"] = base64.b64encode(body).decode("ascii")
        self._append(entry)

    def record_error(self, request: Request, error: HTTPError, secrets: SecretStore) -> None:
        """Keep a failure; what it says is redacted already."""
        entry = _described(request, secrets)
        entry["error"] = secrets.redact_value(error.to_dict())
        self._append(entry)

    def replay(self, request: Request, secrets: SecretStore) -> Response:
        """Return the recorded answer.

        Raises:
            ReplayMissError: There is none; nothing is sent in its place.
            HTTPError: A failure was recorded.
        """
        key = request_key(request, secrets)
        with self._lock:
            entries = self._entries.get(key)
            if not entries:
                raise ReplayMissError(
                    f"the cassette has no answer to {request.method} {secrets.redact(request.url)[:200]}",
                    where=str(self.path),
                    hint="Record it again with mode='record'",
                )
            entry = entries[min(self._played[key], len(entries) - 1)]
            self._played[key] += 1
        return _played(entry, request, secrets)

    def _append(self, entry: dict[str, Any]) -> None:
        with self._lock:
            self._entries.setdefault(entry["key"], []).append(entry)
            with self.path.open("ab") as file:
                file.write(orjson.dumps(entry) + b"\n")

    def __repr__(self) -> str:
        return f"Cassette({str(self.path)!r}, {self.mode!r})"


def request_key(request: Request, secrets: SecretStore) -> str:
    """Return what a request is known by: a SHA-256 over its canonical form, secrets masked."""
    target = parse_url(request.url)
    path, mark, query = target.path.partition("?")
    pairs = sorted(parse_qsl(query, keep_blank_values=True)) if mark else []
    url = f"{target.authority.origin}{path}?{urlencode(pairs)}"
    headers = sorted(_keyed_headers(request, secrets))
    whose = identity_for(request, target.authority.origin)
    head = orjson.dumps([request.method, secrets.redact(url), headers, whose])
    return hashlib.sha256(head + b"\0" + secrets.redact_bytes(_canonical(request.body))).hexdigest()


def _keyed_headers(request: Request, secrets: SecretStore) -> Iterator[tuple[str, str]]:
    """Yield what tells apart two requests: what they ask for, and with whose key, which is masked."""
    for name, value in request.headers:
        name = name.lower()
        if name in _SECRET_HEADERS:
            shown = secrets.redact(value)
            yield name, shown if shown != value else MASK
        elif name not in _VARYING_HEADERS:
            yield name, secrets.redact(value)


def _canonical(body: bytes | None) -> bytes:
    if not body:
        return b""
    if body[:1] in b"{[":
        try:
            return orjson.dumps(orjson.loads(body), option=orjson.OPT_SORT_KEYS)
        except (orjson.JSONDecodeError, orjson.JSONEncodeError):
            return body
    return body


def _described(request: Request, secrets: SecretStore) -> dict[str, Any]:
    return {
        "key": request_key(request, secrets),
        "method": request.method,
        "url": secrets.redact(request.url),
    }


def _played(entry: dict[str, Any], request: Request, secrets: SecretStore) -> Response:
    if "error" in entry:
        raise _recorded_error(entry["error"])
    body = base64.b64decode(entry["base64"]) if "base64" in entry else entry["body"].encode()
    headers = tuple((name, value) for name, value in entry["headers"])
    exchange = record_exchange(
        secrets,
        method=request.method,
        url=request.url,
        request_headers=request.headers,
        request_body=request.body,
        status=entry["status"],
        response_headers=headers,
        response_body=body,
        provenance="replayed",
    )
    return Response(
        status=entry["status"],
        url=entry["answered"],
        headers=headers,
        body=body,
        provenance="replayed",
        exchanges=(exchange,),
    )


def _recorded_error(fields: dict[str, Any]) -> HTTPError:
    kind = _ERRORS.get(fields.get("code", ""), HTTPError)
    known = ("where", "hint", "retryable", "effect", "details")
    return kind(fields.get("what", ""), **{name: fields[name] for name in known if name in fields})


def _load(path: Path) -> dict[str, list[dict[str, Any]]]:
    try:
        if path.stat().st_size > _LARGEST:
            raise FormatError(f"larger than {_LARGEST} bytes", where=str(path))
        data = path.read_bytes()
    except FileNotFoundError:
        raise UsageError("there is no such cassette", where=str(path), hint="Record one first") from None
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}", where=str(path)) from None
    lines = data.split(b"\n")
    whole = lines[-1] == b""
    if whole:
        lines.pop()
    head = _line(lines[0] if lines else b"", f"{path}:1")
    if head.get("kind") != _KIND or head.get("format") != _FORMAT:
        raise FormatError("not a cassette of a format that this version reads", where=str(path))
    entries: dict[str, list[dict[str, Any]]] = {}
    for number, line in enumerate(lines[1:], 2):
        where = f"{path}:{number}"
        if number == len(lines) and not whole:
            break  # the writer died in this line
        entry = _line(line, where)
        _check_entry(entry, where)
        entries.setdefault(entry["key"], []).append(entry)
    return entries


def _drop_torn_line(path: Path) -> None:
    data = path.read_bytes()
    if not data.endswith(b"\n"):
        with path.open("r+b") as file:
            file.truncate(data.rfind(b"\n") + 1)


def _line(line: bytes, where: str) -> dict[str, Any]:
    try:
        value = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise FormatError(f"not JSON: {error}", where=where) from None
    if not isinstance(value, dict):
        raise FormatError("not a JSON object", where=where)
    return value


def _check_entry(entry: dict[str, Any], where: str) -> None:
    kinds: dict[str, type] = {"key": str}
    if "error" in entry:
        kinds["error"] = dict
        _check_error(entry["error"], where)
    else:
        kinds |= {"status": int, "answered": str, "headers": list}
        kinds["base64" if "base64" in entry else "body"] = str
    for name, kind in kinds.items():
        if not isinstance(entry.get(name), kind):
            raise FormatError(f"{name!r} is missing or of another type", where=where)
    for pair in entry.get("headers", ()):
        if not (isinstance(pair, list) and len(pair) == 2 and all(isinstance(part, str) for part in pair)):
            raise FormatError("a header is not a pair of texts", where=where)
    if "base64" in entry:
        try:
            base64.b64decode(entry["base64"], validate=True)
        except ValueError:
            raise FormatError("'base64' is not base64", where=where) from None


def _check_error(fields: Any, where: str) -> None:
    kinds = {"code": str, "what": str, "where": str, "hint": str, "retryable": bool, "effect": str}
    for name, kind in {**kinds, "details": dict}.items():
        if isinstance(fields, dict) and not isinstance(fields.get(name, kind()), kind):
            raise FormatError(f"{name!r} of the error is of another type", where=where)

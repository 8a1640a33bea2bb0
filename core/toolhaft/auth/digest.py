"""HTTP digest authentication.

Source: RFC 7616; of the older forms only the absence of ``qop`` is served too. ``auth-int`` is used where
a server asks for nothing else: the whole body is at hand.
"""

from __future__ import annotations

import hashlib
import re
import secrets as randomness
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

_ALGORITHMS = {"SHA-512-256": "sha512_256", "SHA-256": "sha256", "MD5": "md5"}
"""Name in headers -> in hashlib, the strongest first."""
_SCHEME = re.compile(
    r"(?:^|,)\s*([A-Za-z][A-Za-z0-9-]*)(?=\s+[A-Za-z0-9-]+\s*=|\s*$|\s*,|\s+[A-Za-z0-9+/]+=*\s*$)"
)
_PARAMETER = re.compile(r'(?<![A-Za-z0-9-])([A-Za-z][A-Za-z0-9-]*)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))')
_LONGEST = 2048
"""Characters of a header that are read: what cannot be read in one way takes time with their square."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Challenge:
    """What a server asks for.

    Attributes:
        algorithm: As the header spells it, in upper case and without ``-SESS``.
        session: Whether the algorithm is of the ``-sess`` kind.
        quality: Empty for servers of the older form.
        stale: The nonce was too old; user and password may be right.
    """

    realm: str
    nonce: str
    opaque: str | None = None
    algorithm: str = "MD5"
    session: bool = False
    quality: Literal["auth", "auth-int", ""] = "auth"
    stale: bool = False
    hashes_user: bool = False
    named: bool = True


def read_challenge(headers: Sequence[tuple[str, str]]) -> Challenge | None:
    """Return the strongest digest challenge of an answer that can be met, or None."""
    found: list[Challenge] = []
    for name, value in headers:
        if name == "www-authenticate" and len(value) <= _LONGEST:
            found.extend(filter(None, (_challenge(part) for part in _digest_parts(value))))
    order = list(_ALGORITHMS)
    return min(found, key=lambda challenge: order.index(challenge.algorithm), default=None)


def answer_challenge(
    challenge: Challenge, *, user: str, password: str, method: str, path: str, body: bytes, count: int
) -> str:
    """Return the value of the ``Authorization`` header.

    Args:
        challenge: What the server asks for.
        user: Name of the user.
        password: Only hashes of it are sent.
        method: Of the request.
        path: Path and query, as they are sent.
        body: Of the request.
        count: How often the nonce was used, this time included.
    """
    digest = _hash(challenge.algorithm)
    client_nonce = randomness.token_hex(16)
    realm = challenge.realm.encode("latin-1", "replace")  # the bytes that the server sent
    first = digest(user.encode() + b":" + realm + b":" + password.encode())
    if challenge.session:
        first = digest(f"{first}:{challenge.nonce}:{client_nonce}")
    second = f"{method}:{path}"
    if challenge.quality == "auth-int":
        second = f"{second}:{digest(body)}"
    number = f"{count:08x}"
    middle = f":{number}:{client_nonce}:{challenge.quality}" if challenge.quality else ""
    response = digest(f"{first}:{challenge.nonce}{middle}:{digest(second)}")
    shown_user = digest(user.encode() + b":" + realm) if challenge.hashes_user else user
    fields = [
        _user(shown_user),
        f"realm={_quoted(challenge.realm)}",
        f"nonce={_quoted(challenge.nonce)}",
        f"uri={_quoted(path)}",
        f'response="{response}"',
    ]
    if challenge.named:
        fields.append(f"algorithm={challenge.algorithm}{'-sess' if challenge.session else ''}")
    if challenge.quality:
        fields += [f"qop={challenge.quality}", f"nc={number}", f'cnonce="{client_nonce}"']
    if challenge.opaque is not None:
        fields.append(f"opaque={_quoted(challenge.opaque)}")
    if challenge.hashes_user:
        fields.append("userhash=true")
    return f"Digest {', '.join(fields)}"


def _digest_parts(value: str) -> list[str]:
    """Return the parameters of each digest challenge in a header that may hold several."""
    # Quoted texts are blanked out first: what looks like a scheme's name may stand in one.
    plain = re.sub(r'"(?:[^"\\]|\\.)*"', lambda match: '"' + "x" * (len(match[0]) - 2) + '"', value)
    starts = [(match.start(1), match.end(1), match[1]) for match in _SCHEME.finditer(plain)]
    ends = [start for start, _, _ in starts[1:]] + [len(value)]
    return [
        value[begin:end]
        for (_, begin, scheme), end in zip(starts, ends, strict=False)
        if scheme.lower() == "digest"
    ]


def _challenge(text: str) -> Challenge | None:
    fields = {
        match[1].lower(): re.sub(r"\\(.)", r"\1", match[2]) if match[2] is not None else match[3]
        for match in _PARAMETER.finditer(text)
    }
    if not fields.get("nonce") or "realm" not in fields:
        return None
    named = fields.get("algorithm", "MD5").upper()
    algorithm = named.removesuffix("-SESS")
    if algorithm not in _ALGORITHMS or (
        algorithm == "SHA-512-256" and "sha512_256" not in hashlib.algorithms_available
    ):
        return None
    offered = [each.strip().lower() for each in fields.get("qop", "").split(",") if each.strip()]
    quality: Literal["auth", "auth-int", ""] = ""
    if offered:
        if "auth" not in offered and "auth-int" not in offered:
            return None
        quality = "auth" if "auth" in offered else "auth-int"
    return Challenge(
        realm=fields["realm"],
        nonce=fields["nonce"],
        opaque=fields.get("opaque"),
        algorithm=algorithm,
        session=named.endswith("-SESS"),
        quality=quality,
        stale=fields.get("stale", "").lower() == "true",
        hashes_user=fields.get("userhash", "").lower() == "true",
        named="algorithm" in fields,
    )


def _hash(algorithm: str) -> Callable[[str | bytes], str]:
    def digest(value: str | bytes) -> str:
        data = value.encode() if isinstance(value, str) else value
        made = hashlib.new(_ALGORITHMS[algorithm], usedforsecurity=False)
        made.update(data)
        return made.hexdigest()

    return digest


def _user(name: str) -> str:
    from urllib.parse import quote

    if name.isascii() and name.isprintable():
        return f"username={_quoted(name)}"
    return f"username*=UTF-8''{quote(name, safe='')}"


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'

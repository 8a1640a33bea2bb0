"""Arguments become a request, byte for byte what will be sent but for the secrets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from toolhaft.errors import ConfigError, InvalidArgumentsError, UsageError
from toolhaft.http.message import Credential, Request
from toolhaft.openapi.media_types import matches, plain
from toolhaft.openapi.requests.bodies import BodyWriter
from toolhaft.openapi.requests.headers import Headers
from toolhaft.openapi.requests.multipart import Boundary
from toolhaft.openapi.requests.target import VARIABLE, Target
from toolhaft.openapi.requests.wire import Wire, WireBody

if TYPE_CHECKING:
    from toolhaft.tools.artifacts import ArtifactStore


class RequestBuilder:
    """Builds the requests of one operation; what does not depend on the arguments is prepared once.

    Args:
        wire: The operation.
        boundary: Makes the boundaries of multipart bodies from their content; None depends on it alone.
    """

    def __init__(self, wire: Wire, *, boundary: Boundary | None = None) -> None:
        self._wire = wire
        self._target = Target(wire)
        self._headers = Headers(wire)
        self._body = BodyWriter(wire.body, wire, boundary) if wire.body is not None else None
        self._others: dict[str, BodyWriter] = {}
        self._boundary = boundary
        self._known = frozenset(known_arguments(wire))
        self._is_open = wire.body is not None and wire.body.open

    def build(
        self,
        arguments: Mapping[str, Any],
        *,
        where: str = "",
        media_type: str = "",
        artifacts: ArtifactStore | None = None,
        credentials: tuple[Credential, ...] = (),
    ) -> Request:
        """Return the request that a call with these arguments makes.

        Args:
            arguments: By argument key.
            where: Name of the tool, for messages.
            media_type: Of the body, where the operation takes several; empty is the one it was imported
                with.
            artifacts: Where the bytes of artifacts are kept.
            credentials: What the transport adds.

        Raises:
            InvalidArgumentsError: An argument that has to be there is not, is not known, or cannot be sent.
            ConfigError: There is no server to send it to.
            UsageError: The operation takes no body of the media type.
        """
        wire = self._wire
        if not wire.server:
            raise ConfigError(
                wire.server_problem or "the document names no server",
                where=where,
                hint="Give one: open_catalog(..., server='https://host/base'), or --server in the shell",
            )
        if not self._is_open and not arguments.keys() <= self._known:
            unknown = sorted(str(name)[:80] for name in arguments.keys() - self._known)
            raise InvalidArgumentsError(
                f"there is no argument {unknown[0]!r}",
                where=where,
                hint=f"Known arguments: {', '.join(sorted(self._known)[:20]) or 'none'}",
            )
        writer = self._writer(media_type, where) if media_type else self._body
        try:
            url = f"{wire.server}{self._target.fill(arguments)}"
            headers = self._headers.fill(arguments)
            content_type, body = "", None
            if writer is not None:
                content_type, body = writer.write(arguments, artifacts)
        except UnicodeEncodeError:
            raise InvalidArgumentsError(
                "an argument holds half a character (a lone surrogate)", where=where
            ) from None
        except InvalidArgumentsError as error:
            error.where = error.where or where
            raise
        if content_type:
            headers.append(("content-type", content_type))
        return Request(
            method=wire.method,
            url=url,
            headers=tuple(headers),
            body=body,
            effect=wire.effect,
            repeatable=wire.repeatable,
            key_header=wire.key_header,
            credentials=credentials,
        )

    def _writer(self, media_type: str, where: str) -> BodyWriter:
        wire = self._wire
        found = self._others.get(media_type)
        if found is None:
            body = body_of(wire, media_type)
            if body is None:
                takes = ", ".join(media_types(wire)) or "no body at all"
                raise UsageError(
                    f"no body of type {media_type[:80]!r} can be sent", where=where, hint=f"It takes {takes}"
                )
            found = self._others[media_type] = BodyWriter(body, wire, self._boundary)
        return found


def build_request(
    wire: Wire,
    arguments: Mapping[str, Any],
    *,
    where: str = "",
    media_type: str = "",
    artifacts: ArtifactStore | None = None,
) -> Request:
    """Build one request; see `RequestBuilder`, which is quicker for several of one operation."""
    return RequestBuilder(wire).build(arguments, where=where, media_type=media_type, artifacts=artifacts)


def body_of(wire: Wire, media_type: str) -> WireBody | None:
    """Return what is known of a body of a media type, the exact one before one that only differs in case."""
    bodies = [wire.body, *wire.bodies] if wire.body is not None else []
    exact = next((body for body in bodies if body is not None and body.media_type == media_type), None)
    if exact is not None:
        return exact
    return next(
        (
            body
            for body in bodies
            if body is not None
            and (plain(body.media_type) == plain(media_type) or matches(media_type, body.media_type))
        ),
        None,
    )


def media_types(wire: Wire) -> tuple[str, ...]:
    """Return the media types that a body may be sent as, the one that is sent by default first."""
    return tuple(body.media_type for body in (wire.body, *wire.bodies) if body is not None)


def argument_names(wire: Wire) -> dict[tuple[str, str], str]:
    """Return the argument that stands for each value: ``(place, name on the wire)`` -> argument key.

    Places are ``path``, ``query``, ``querystring``, ``header``, ``cookie`` and ``body``; the name of a body
    that is one argument is empty.
    """
    names: dict[tuple[str, str], str] = {
        (parameter.place, parameter.name): parameter.key for parameter in wire.parameters
    }
    if wire.body is not None and wire.body.key:
        names["body", ""] = wire.body.key
    elif wire.body is not None:
        names.update({("body", field.name): field.key for field in wire.body.fields})
    return names


def known_arguments(wire: Wire) -> list[str]:
    """Return every argument that a request is made of."""
    names = [parameter.key for parameter in wire.parameters]
    if wire.body is not None and wire.body.key:
        names.append(wire.body.key)
    elif wire.body is not None:
        for field in wire.body.fields:
            names += [field.key, field.headers_key] if field.headers_key else [field.key]
    return names


def path_variables(wire: Wire) -> list[str]:
    """Return the names in braces in an operation's path."""
    return VARIABLE.findall(wire.path.partition("#")[0])

"""The server's routes: ToolBench's contract at ``/rapidapi`` and ``/virtual``."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

from toolhaft.errors import ToolhaftError
from toolhaft.types import ToolSpec
from toolhaft_rapidapi.replies import PROVENANCE_HEADER, Reply
from toolhaft_rapidapi.shortening import keep_known, shorten_json
from toolhaft_rapidapi.statuses import StatusCode
from toolhaft_rapidapi.virtual import VirtualAPIs, failure

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response

MOST_BODY = 256_000
"""Bytes of a request's body."""
TRUNCATED = 2048
"""Characters of a response under ``strip``."""
LONGEST = 200_000
"""Characters of any response."""
_LONGEST_NAME = 300
_OWN = ("127.0.0.1", "localhost")
_STRIPS = ("", "truncate", "filter", "random")


def build_app(apis: VirtualAPIs, *, compatible: bool = False, title: str = "") -> Starlette:
    """Make the application.

    Args:
        apis: Answers.
        compatible: Responses are texts, as old clients expect.
        title: What is served, for a person.
    """
    from starlette.applications import Starlette
    from starlette.middleware import Middleware
    from starlette.middleware.trustedhost import TrustedHostMiddleware
    from starlette.responses import JSONResponse
    from starlette.routing import Route

    async def answer(request: Request) -> Response:
        if not _is_own(request.headers.get("origin", "")):
            return JSONResponse({"error": "pages of other sites may not ask"}, status_code=403)
        body = await _read_body(request)
        try:
            reply = await _answer(apis, body)
        except ToolhaftError as error:  # the cache is damaged, for example
            reply = failure(StatusCode.REQUEST_FAILED, str(error))
        return _response(reply, compatible)

    async def index(_request: Request) -> Response:
        count = len(apis.directory) if apis.directory is not None else 0
        routes = ["POST /virtual", "POST /rapidapi"]
        return JSONResponse({"title": title, "apis": count, "seed": apis.seed, "routes": routes})

    return Starlette(
        routes=[
            Route("/", index, methods=["GET"]),
            *(Route(path, answer, methods=["POST"]) for path in ("/virtual", "/rapidapi")),
        ],
        # Pages of other sites may reach loopback by a name of theirs; those names are refused.
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=list(_OWN))],
    )


def _is_own(origin: str) -> bool:
    """Whether a request comes from no page, or from a page of this machine.

    A page of another site can post to loopback, though it cannot read the answer; a live call would be made.
    """
    host = origin.partition("://")[2].partition(":")[0]
    return not origin or host in _OWN


async def _answer(apis: VirtualAPIs, body: bytes | None) -> Reply:
    import orjson

    if body is None:
        return failure(StatusCode.INPUT_ERROR, f"the body is longer than {MOST_BODY} bytes")
    try:
        fields = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        return failure(StatusCode.INPUT_ERROR, f"the body is not JSON: {str(error)[:200]}")
    if not isinstance(fields, dict):
        return failure(StatusCode.INPUT_ERROR, "the body is not an object")
    names = [fields.get(key) for key in ("category", "tool_name", "api_name")]
    category, tool, api = (name if isinstance(name, str) else "" for name in names)
    if not tool or not api or max(len(category), len(tool), len(api)) > _LONGEST_NAME:
        what = f"category, tool_name and api_name are texts of at most {_LONGEST_NAME} characters"
        return failure(StatusCode.INPUT_ERROR, what)
    strip = fields.get("strip") or ""  # old clients send null
    if strip not in _STRIPS:
        return failure(StatusCode.INPUT_ERROR, f"strip is one of {', '.join(map(repr, _STRIPS))}")
    reply = await apis.answer(category, tool, api, fields.get("tool_input", ""))
    specs = apis.directory.find(category, tool, api) if strip and apis.directory is not None else ()
    return _stripped(reply, strip, specs[0] if specs else None, apis.seed)


def _stripped(reply: Reply, strip: str, spec: ToolSpec | None, seed: int) -> Reply:
    """Return the reply cut to length; ``random`` filters half of them, the same half each time."""
    from dataclasses import replace

    response = reply.response
    if strip == "random":
        strip = random.Random(f"{seed}\t{response!r:.200}").choice(("filter", "truncate"))
    if strip == "filter" and spec is not None:
        response = keep_known(response, spec.returns)
    response, cut = shorten_json(response, TRUNCATED if strip else LONGEST)
    return replace(reply, response=response, truncated=cut) if response is not reply.response else reply


async def _read_body(request: Request) -> bytes | None:
    """Return the body, or None if it is too long; what comes after is not read."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BODY:
            return None
    return bytes(body)


def _response(reply: Reply, compatible: bool) -> Response:
    from starlette.responses import Response

    return Response(
        _json(reply.body(compatible=compatible)),
        media_type="application/json",
        headers={PROVENANCE_HEADER: reply.provenance},
    )


def _json(value: Any) -> bytes:
    import json

    import orjson

    try:
        return orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS)
    except TypeError:  # integers beyond 64 bits, and halves of characters
        return json.dumps(value, ensure_ascii=True, default=str).encode()

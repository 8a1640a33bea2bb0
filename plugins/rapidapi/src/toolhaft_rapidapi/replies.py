"""ToolBench's contract between client and server: ``{"error": str, "response": ...}``.

Source: the request and reply of ToolBench's RapidAPI server and StableToolBench's virtual one. Deviations: a
reply says where it comes from (``provenance``), and a response is JSON unless text is asked for.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from toolhaft.errors import UnknownToolError
from toolhaft.http.message import Request
from toolhaft.tools.base import ToolResult
from toolhaft.types import Exchange, Provenance, ToolSpec
from toolhaft_rapidapi.inputs import original_names
from toolhaft_rapidapi.standard import standard_category, standard_input, standard_name, standard_word
from toolhaft_rapidapi.statuses import ERRORS, RequestFailedError, StatusCode, code_of_text

if TYPE_CHECKING:
    from toolhaft.http.message import Response

PROVENANCE_HEADER = "x-toolhaft-provenance"
_PROVENANCES: dict[str, Provenance] = {
    "live": "live",
    "cached": "cached",
    "simulated": "simulated",
    "replayed": "replayed",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What a server says to one call.

    Attributes:
        error: Of the contract: empty, or one of `toolhaft_rapidapi.statuses.TEXTS`.
        response: A JSON value.
        code: The status.
        detail: What is wrong, for a person.
        provenance: Where the response comes from.
        truncated: Whether something of it was left out.
    """

    error: str = ""
    response: Any = ""
    code: StatusCode = StatusCode.OK
    detail: str = ""
    provenance: Provenance = "simulated"
    truncated: bool = False

    def body(self, *, compatible: bool = False) -> dict[str, Any]:
        """Return the reply as JSON.

        Args:
            compatible: The response is a text, JSON where it is no text itself, as old clients expect.
        """
        response = self.response
        if compatible and not isinstance(response, str):
            response = json.dumps(response, ensure_ascii=False, separators=(",", ":"))
        found = {"error": self.error, "response": response, "provenance": self.provenance}
        if self.detail:
            found |= {"code": int(self.code), "detail": self.detail}
        if self.truncated:
            found["truncated"] = True
        return found


def contract_request(spec: ToolSpec, server: str, arguments: Mapping[str, Any]) -> Request:
    """Return the request for one call: category, tool and API are those that the spec keeps."""
    given = standard_input(original_names(spec, arguments))
    payload = {
        "category": standard_category(str(spec.metadata.get("category", ""))),
        "tool_name": standard_name(str(spec.metadata.get("tool_name", ""))),
        "api_name": standard_word(str(spec.metadata.get("api_name", ""))),
        "tool_input": json.dumps(given, ensure_ascii=False),
        "strip": "",
        "toolbench_key": "",
    }
    return Request(
        method="POST",
        url=f"{server}/virtual",
        headers=(("accept", "application/json"), ("content-type", "application/json")),
        body=json.dumps(payload, ensure_ascii=False).encode("utf-8", "replace"),
        effect=spec.effect,
        repeatable=spec.repeatable,
    )


def read_reply(response: Response, where: str) -> Reply:
    """Return the reply in an answer; one that does not say where it comes from counts as simulated.

    Raises:
        RequestFailedError: The server does not keep to the contract.
    """
    try:
        found = json.loads(response.body) if response.status == 200 else None
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict) or not isinstance(found.get("error"), str) or "response" not in found:
        raise RequestFailedError(
            f"the server answered {response.status} and no reply of ToolBench's contract",
            where=where,
            hint="Start one: toolhaft rapidapi serve PATH",
            exchanges=response.exchanges,
        )
    said = str(found.get("provenance") or response.header(PROVENANCE_HEADER))
    return Reply(
        error=found["error"],
        response=_parsed(found["response"]),
        code=code_of_text(found["error"]),
        detail=str(found.get("detail", ""))[:1000],
        provenance=_PROVENANCES.get(said, "simulated"),
        truncated=found.get("truncated") is True,
    )


def result_of(reply: Reply, where: str, exchanges: tuple[Exchange, ...] = ()) -> ToolResult:
    """Return a reply as a tool's result.

    Raises:
        ToolError: The one of its code, if the reply is a failure.
    """
    if reply.code is StatusCode.OK and not reply.error:
        return ToolResult(value=reply.response, provenance=reply.provenance, exchanges=exchanges)
    kind = ERRORS[reply.code] or RequestFailedError
    if kind is UnknownToolError:
        kind = RequestFailedError
    said = " ".join((reply.detail or reply.error).split())[:500]
    raise kind(
        said or "the server says that it failed",
        where=where,
        details={"status_code": int(reply.code), "error": reply.error[:500], "provenance": reply.provenance},
        exchanges=exchanges,
    )


def _parsed(response: Any) -> Any:
    """Return a response that is JSON as text as the value; other text stays."""
    if isinstance(response, str) and response.lstrip()[:1] in ("{", "["):
        try:
            return json.loads(response)
        except (ValueError, RecursionError):
            return response
    return response

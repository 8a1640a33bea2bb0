"""Work that an API does after its answer: asked about until it ends, within bounds.

Source: RFC 9110, section 15.3.3 (202); the headers are those in use, ``Operation-Location`` and
``Azure-AsyncOperation`` of Azure, ``Location`` elsewhere. States are those of common APIs; an unknown one is
not waited for.
"""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urljoin

from toolhaft.errors import EgressError, ToolError
from toolhaft.http.message import Request, Response
from toolhaft.http.origin import parse_url
from toolhaft.openapi.documents.cleaning import clean_text
from toolhaft.openapi.responses import paging_words as words

if TYPE_CHECKING:
    from toolhaft.openapi.responses.following import Fetch

_HEADERS = ("operation-location", "azure-asyncoperation", "location")
_FIELDS = (
    "status",
    "state",
    "phase",
    "provisioningstate",
    "jobstatus",
    "operationstatus",
    "jobstate",
    "runstatus",
)
_RUNNING = frozenset(
    {
        "running",
        "inprogress",
        "pending",
        "queued",
        "processing",
        "notstarted",
        "accepted",
        "started",
        "waiting",
    }
    | {"scheduled", "provisioning", "creating", "updating", "deleting", "submitted", "starting", "enqueued"}
    | {
        "executing",
        "working",
        "importing",
        "exporting",
        "preparing",
        "initializing",
        "stopping",
        "cancelling",
    }
)
_DONE = frozenset({"succeeded", "success", "successful", "completed", "complete", "done", "finished"})
_FAILED = frozenset(
    {
        "failed",
        "failure",
        "error",
        "errored",
        "canceled",
        "cancelled",
        "aborted",
        "rejected",
        "expired",
        "timedout",
    }
)
_LARGEST = 64_000
"""Bytes of an answer that is asked for a state; what is longer is a result."""
_FIRST_WAIT = 0.5
_LONGEST_WAIT = 10.0
_MOST_ASKED = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What an answer says of work that goes on.

    Attributes:
        state: ``running``, ``done``, ``failed``; empty if it says nothing that is known.
        word: As the answer says it.
        url: Where to ask about it; empty if that is unknown or not allowed.
        refused: Why a URL that the API gave is not asked.
    """

    state: str = ""
    word: str = ""
    url: str = ""
    refused: str = ""

    def line(self) -> str:
        """Return one line that tells a model how matters stand; empty if there is nothing to tell."""
        if self.state == "failed":
            return f"The work ended as {self.word!r}"
        if self.state != "running":
            return ""
        said = f"The work goes on ({self.word})" if self.word else "The work was accepted and goes on"
        if self.refused:
            return f"{said}; where the API says its state is, is not asked: {self.refused}"
        if self.url:
            path = clean_text(parse_url(self.url).path, 200)
            return (
                f"{said}; its state is at {path}: call the tool that reads it later, or have the caller wait"
            )
        return f"{said}; read its state later"


def read_work(response: Response, asked: Request, *, polled: bool = False) -> Work:
    """Return what an answer says of work that goes on.

    Args:
        response: A success.
        asked: The request that it answers.
        polled: It was asked about work that goes on, so that its state is that of the work.
    """
    found = _state(response)
    listed = next((value for name in _HEADERS if (value := response.header(name))), "")
    if response.status == 202 or (listed and found[0] == "running" and asked.method != "GET"):
        state, word = found if found[0] else ("running", "")
        if state != "running":
            return Work(state=state, word=word)
        url, refused = _own_url(listed, asked.url) if listed else ("", "")
        if not listed and asked.method == "GET":
            url = asked.url
        return Work(state="running", word=word, url=url, refused=refused)
    if found[0] == "running" and asked.method == "GET" and response.status == 200:
        return Work(state="running", word=found[1], url=asked.url)
    ended = found[0] == "failed" and (polled or asked.method != "GET")
    return Work(state="failed" if ended else "", word=found[1])


async def wait_for_end(
    response: Response, asked: Request, fetch: Fetch, seconds: float
) -> tuple[Response, str]:
    """Ask about work that goes on until it has ended, or the time is over.

    Args:
        response: The answer that says that it goes on.
        asked: The request that it answers; its credentials go along, to the same origin alone.
        fetch: Sends a request.
        seconds: For everything.

    Returns:
        The last answer, and a line that says how matters stand; empty if the work is done.
    """
    work = read_work(response, asked)
    ends, wait = time.monotonic() + seconds, _FIRST_WAIT
    for _ in range(_MOST_ASKED):
        if work.state != "running" or not work.url:
            break
        left = ends - time.monotonic()
        pause = _asked_wait(response) or wait
        if pause >= left:
            return response, f"Not finished after {seconds:g} seconds. {work.line()}"
        await asyncio.sleep(pause)
        wait = min(_LONGEST_WAIT, wait * 1.5)
        accept = tuple((name, value) for name, value in asked.headers if name.lower() == "accept")
        ask = Request(
            method="GET",
            url=work.url,
            headers=accept,
            credentials=asked.credentials,
            timeout=max(0.1, ends - time.monotonic()),
        )
        try:
            response = await fetch(ask)
        except ToolError as error:
            return response, f"Its state could not be read ({error.what}). {work.line()}"
        found = read_work(response, ask, polled=True)
        work = found if found.url or found.state != "running" or found.refused else work
    return response, work.line()


def _own_url(text: str, asked: str) -> tuple[str, str]:
    """Return a URL of the same origin, or nothing and why not."""
    try:
        if not text.isprintable():
            raise EgressError("it holds control characters")
        own, found = parse_url(asked), parse_url(urljoin(asked, text.strip()))
    except (EgressError, ValueError) as error:
        return "", error.what if isinstance(error, EgressError) else "it is no URL"
    if found.authority.origin != own.authority.origin:
        return "", "it is of another origin"
    return found.url, ""


def _state(response: Response) -> tuple[str, str]:
    """Return the state that an answer's body names, and its word for it."""
    if response.body.lstrip()[:1] != b"{" or len(response.body) > _LARGEST:
        return "", ""
    try:
        document = json.loads(response.body)
    except (ValueError, RecursionError):
        return "", ""
    if not isinstance(document, dict):
        return "", ""
    if isinstance(document.get("done"), bool) and ("name" in document or "operation" in document):
        failed = document["done"] and isinstance(document.get("error"), dict)
        return (
            "failed" if failed else "done" if document["done"] else "running"
        ), f"done: {document['done']}"
    for holder in (document, document.get("properties"), document.get("data"), document.get("job")):
        for key, value in list(holder.items())[:100] if isinstance(holder, dict) else ():
            if words.fold(str(key)) not in _FIELDS or not isinstance(value, str):
                continue
            word = words.fold(value[:40])
            for state, known in (("running", _RUNNING), ("done", _DONE), ("failed", _FAILED)):
                if word in known:
                    return state, value[:40]
    return "", ""


def _asked_wait(response: Response) -> float | None:
    from toolhaft.http.retry import read_retry_after

    found = read_retry_after(response.header("retry-after"))
    return None if found is None else min(max(0.05, found), 600.0)

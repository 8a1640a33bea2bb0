"""A wire with what its document says of answers and pages."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from toolhaft.openapi.documents.resolve import Resolver
from toolhaft.openapi.requests.wire import Wire
from toolhaft.openapi.responses.paging_signs import find_paging
from toolhaft.openapi.responses.promises import read_answers
from toolhaft.types import ToolSpec


def describe_answers(wire: Wire, spec: ToolSpec, responses: Any, resolver: Resolver) -> Wire:
    """Return the wire with what is known of the operation's answers."""
    return replace(
        wire,
        answers=read_answers(responses, resolver, main_kept=spec.returns is not None),
        paging=find_paging(wire, spec.properties, responses, resolver),
    )

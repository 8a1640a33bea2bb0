"""JSON text, with duplicate keys reported by place and depth checked before parsing."""

from __future__ import annotations

import json
import re
from itertools import accumulate
from typing import Any

from toolhaft.errors import SpecError
from toolhaft.openapi.documents.document import Limits, Parsed
from toolhaft.tools.report import Problem
from toolhaft.types.pointer import escape

_NOT_STRUCTURE = bytes(code for code in range(256) if code not in b'{}[]"')
_STEP = {ord("{"): 1, ord("["): 1, ord("}"): -1, ord("]"): -1}


def read_json(text: str, limits: Limits, where: str = "") -> Parsed:
    """Read a JSON text.

    Raises:
        SpecError: It is not JSON, or nested beyond the limit; the message has line and column.
    """
    if nesting(text) > limits.depth:
        raise SpecError(f"nested deeper than {limits.depth}", where=where, code="E-SPEC-LIMIT")
    reader = _Reader()
    try:
        value = reader.parse(text)
    except json.JSONDecodeError as error:
        place = f"{where} line {error.lineno} column {error.colno}".strip()
        raise SpecError(f"not JSON: {error.msg}", where=place) from None
    except RecursionError:
        raise SpecError(f"nested deeper than {limits.depth}", where=where, code="E-SPEC-LIMIT") from None
    return Parsed(
        value=value,
        references=frozenset(reader.references),
        identified=reader.identified,
        problems=tuple(reader.problems(value)),
    )


def nesting(text: str) -> int:
    """Return how deep the brackets of a JSON text are nested, without parsing it."""
    data = text.encode("utf-8", "surrogatepass")
    if b"\\" in data:
        data = data.replace(b"\\\\", b"").replace(b'\\"', b"")
    structure = re.sub(rb'"[^"]*"', b"", data.translate(None, _NOT_STRUCTURE)).replace(b'"', b"")
    return max(accumulate(map(_STEP.__getitem__, structure)), default=0)


class _Reader:
    def __init__(self) -> None:
        self.references: set[str] = set()
        self.identified = False
        self._repeated: dict[int, list[str]] = {}

    def parse(self, text: str) -> Any:
        try:
            return json.loads(text, object_pairs_hook=self._collect, parse_constant=_absent)
        except json.JSONDecodeError:
            raise
        except ValueError:  # an integer with more digits than Python converts
            return json.loads(
                text, object_pairs_hook=self._collect, parse_constant=_absent, parse_int=_integer
            )

    def _collect(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(pairs)
        if len(made) != len(pairs):
            seen: set[str] = set()
            self._repeated[id(made)] = [key for key, _ in pairs if key in seen or seen.add(key)]  # type: ignore[func-returns-value]
        if "$ref" in made and isinstance(made["$ref"], str):
            self.references.add(made["$ref"])
        if "$id" in made or "$self" in made:
            self.identified = True
        return made

    def problems(self, root: Any) -> list[Problem]:
        """Return the duplicate keys with their pointers, which are known only once all is read."""
        if not self._repeated:
            return []
        found: list[Problem] = []
        waiting: list[tuple[Any, str]] = [(root, "")]
        while waiting and len(found) < 100:
            value, pointer = waiting.pop()
            if isinstance(value, dict):
                for key in self._repeated.get(id(value), ()):
                    message = f"the key {key[:80]!r} is given twice; the last counts"
                    place = f"{pointer}/{escape(key)}"
                    found.append(Problem(code="duplicate-key", message=message, pointer=place))
                waiting.extend((item, f"{pointer}/{escape(key)}") for key, item in value.items())
            elif isinstance(value, list):
                waiting.extend((item, f"{pointer}/{index}") for index, item in enumerate(value))
        return found


def _absent(_constant: str) -> None:
    """Read NaN and Infinity as absent: JSON has no such numbers."""


def _integer(digits: str) -> Any:
    return int(digits) if len(digits) <= 4000 else None

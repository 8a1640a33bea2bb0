"""Rows of APIBench's layout as cards: each field of one type, and a problem told for what did not fit.

Source: Patil et al., "Gorilla: Large Language Model Connected with Massive APIs" (2023), section 3.1, for
the fields. Deviation: published rows write a field as text, list or mapping; here it has one type.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from toolhaft.errors import FormatError
from toolhaft.text import clean
from toolhaft.tools.report import Problem
from toolhaft_hub.card import Argument, Card
from toolhaft_hub.code import parse_card_call
from toolhaft_hub.figures import metrics_of, size_of
from toolhaft_hub.tasks import task_of

_LONGEST_TEXT = 4_000
_LONGEST_LABEL = 200
_MOST_ARGUMENTS = 60
_ABSENT = frozenset({"", "n/a", "na", "none", "null", "not specified", "not provided", "unknown"})


@dataclass(slots=True)
class Row:
    """A row being read, and what is noticed on the way.

    Attributes:
        value: The row.
        line: Where it stands, counted from 1; 0 if unknown.
        problems: What was noticed.
    """

    value: Mapping[str, Any]
    line: int = 0
    problems: list[Problem] = field(default_factory=list)

    def note(self, code: str, message: str, name: str = "", *, degraded: bool = False) -> None:
        """Keep a problem with a field."""
        self.problems.append(
            Problem(
                code=code,
                message=message,
                pointer=f"/{name}" if name else "",
                line=self.line,
                severity="degraded" if degraded else "warning",
            )
        )

    def text(self, name: str, limit: int = _LONGEST_LABEL) -> str:
        """Return a field as one text."""
        value = self.value.get(name)
        if isinstance(value, str):
            return clean(value, limit)
        if value is None:
            return ""
        lines = texts_of(value)
        self.note(f"{name.replace('_', '-')}-type", f"{name} is a {_kind(value)}, not a text", name)
        return clean(", ".join(lines) if name != "example_code" else "\n".join(lines), limit)


def card_of(row: Row) -> Card:
    """Return the card of a row; what was noticed is in ``row.problems`` afterwards.

    Raises:
        FormatError: The row has no name.
    """
    name = row.text("api_name") or row.text("functionality")
    if not name:
        raise FormatError("the row has no api_name", where=f"line {row.line}" if row.line else "")
    call_text = _call_text(row)
    functionality, domain = row.text("functionality"), row.text("domain")
    description = row.text("description", _LONGEST_TEXT)
    performance = row.value.get("performance")
    if isinstance(performance, list):
        row.note("performance-type", "performance is a list, not a mapping", "performance")
    card = Card(
        hub=_hub(call_text, row),
        id=name,
        task=task_of(domain, functionality),
        domain=domain,
        functionality=functionality,
        framework=row.text("framework"),
        call=_call(row, call_text),
        call_text=call_text,
        arguments=_arguments(row),
        requirements=_requirements(row),
        example=row.text("example_code", _LONGEST_TEXT),
        metrics=metrics_of(performance),
        size=size_of(performance, description),
        description=description,
    )
    if not description:
        row.note("description-missing", "the row has no description", "description")
    return card


def texts_of(value: Any) -> list[str]:
    """Return the texts in a value: of a list its items, of a mapping its names and values."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, Mapping):
        return [f"{name}: {', '.join(texts_of(each))}" for name, each in value.items()]
    if isinstance(value, Sequence):
        return [text for each in value for text in texts_of(each)]
    return [] if value is None else [str(value)]


def is_absent(text: str) -> bool:
    """Whether a text only says that there is nothing to say."""
    return text.strip().lower() in _ABSENT


def _call_text(row: Row) -> str:
    value = row.value.get("api_call")
    if isinstance(value, str) and value.strip():
        return clean(value, _LONGEST_TEXT)
    row.note("call-missing", "the row has no api_call", "api_call", degraded=True)
    return ""


def _call(row: Row, text: str) -> Any:
    if not text:
        return None
    try:
        parsed = parse_card_call(text)
    except FormatError as error:
        row.note(
            "call-not-python",
            f"api_call cannot be read ({error.what}); it is shown as it is",
            "api_call",
            degraded=True,
        )
        return None
    for mended in parsed.mended:
        row.note("call-mended", f"api_call was mended: {mended}", "api_call")
    return parsed.call


def _hub(call: str, row: Row) -> str:
    if "torch.hub" in call:
        return "torchhub"
    if re.match(r"(?:hub|tensorflow_hub|tfhub)\.", call) or "tfhub.dev" in call:
        return "tensorflowhub"
    provider = str(row.value.get("provider") or row.value.get("framework") or "").lower()
    known = {"hugging": "huggingface", "transformers": "huggingface", "tensorflow": "tensorflowhub"}
    for word, hub in known.items():
        if word in provider:
            return hub
    return "huggingface" if "from_pretrained" in call or call.startswith("pipeline(") else "other"


def _arguments(row: Row) -> tuple[Argument, ...]:
    value = row.value.get("api_arguments")
    if value is None or (isinstance(value, str) and is_absent(value)):
        return ()
    if isinstance(value, Mapping):
        found = [_argument(str(name), each) for name, each in value.items()]
    elif isinstance(value, str):
        row.note("arguments-type", "api_arguments is a text, not a mapping", "api_arguments")
        found = [_named(part) for part in re.split(r"[,\n]", value)]
    else:
        row.note("arguments-type", f"api_arguments is a {_kind(value)}, not a mapping", "api_arguments")
        found = [_item(each) for each in value] if isinstance(value, list) else []
    kept = [argument for argument in found if argument.name or argument.description]
    return tuple(kept[:_MOST_ARGUMENTS])


def _item(value: Any) -> Argument:
    if isinstance(value, Mapping):
        name = clean(str(value.get("name", "")), _LONGEST_LABEL)
        rest = {key: each for key, each in value.items() if key != "name"}
        return Argument(name=name, description=clean("; ".join(texts_of(rest)), _LONGEST_LABEL))
    return _named(str(value))


def _named(text: str) -> Argument:
    name, equals, rest = clean(text, _LONGEST_LABEL).partition("=")
    if name.strip().isidentifier():
        return Argument(name=name.strip(), value=_literal(rest.strip()) if equals else None)
    name, colon, rest = text.partition(":")
    if colon and name.strip().isidentifier():
        return Argument(name=name.strip(), description=clean(rest, _LONGEST_LABEL))
    return Argument(name="", description=clean(text, _LONGEST_LABEL))


def _argument(name: str, value: Any) -> Argument:
    name = clean(name, _LONGEST_LABEL)
    if isinstance(value, str):
        literal = _literal(value)
        if not isinstance(literal, str):
            return Argument(name=name, value=literal)
        return Argument(name=name, description=clean(value, _LONGEST_LABEL))
    if value is None or isinstance(value, bool | int | float):
        return Argument(name=name, value=value)
    return Argument(name=name, description=clean("; ".join(texts_of(value)), _LONGEST_LABEL))


def _literal(text: str) -> Any:
    """Return the truth value or number that a text writes, else the text without its quotes."""
    if text in ("True", "False"):
        return text == "True"
    if re.fullmatch(r"-?\d{1,15}", text):
        return int(text)
    if re.fullmatch(r"-?\d{1,15}\.\d{1,15}", text):
        return float(text)
    quoted = re.fullmatch(r"(['\"])(.*)\1", text)
    return quoted[2] if quoted else text


def _requirements(row: Row) -> tuple[str, ...]:
    value = row.value.get("python_environment_requirements")
    if value is not None and not isinstance(value, list):
        row.note(
            "requirements-type",
            f"python_environment_requirements is a {_kind(value)}, not a list",
            "python_environment_requirements",
        )
    parts = [part for text in texts_of(value) for part in re.split(r",(?!\s*[<>=!~])|\n", text)]
    kept = [clean(part.strip(), _LONGEST_LABEL) for part in parts if not is_absent(part)]
    return tuple(dict.fromkeys(kept))[:_MOST_ARGUMENTS]


def _kind(value: Any) -> str:
    if isinstance(value, Mapping):
        return "mapping"
    return {list: "list", str: "text", bool: "truth value", int: "number", float: "number"}.get(
        type(value), "null"
    )

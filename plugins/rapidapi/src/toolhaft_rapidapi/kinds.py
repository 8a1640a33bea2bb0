"""RapidAPI's parameter types as JSON Schema."""

from __future__ import annotations

import json
import math
import re
from typing import Any

from toolhaft.openapi.documents.cleaning import clean_string, clean_text, clean_value
from toolhaft.tools.report import Problem
from toolhaft_rapidapi.record import Parameter
from toolhaft_rapidapi.redaction import is_credential, looks_secret, redact
from toolhaft_rapidapi.values import words_of

LONGEST_DESCRIPTION = 512
_LONGEST_DEFAULT = 500
_MOST_OPTIONS = 200
_TIME = r"^([01][0-9]|2[0-3]):[0-5][0-9]$"
_SCHEMAS: dict[str, dict[str, Any]] = {
    "STRING": {"type": "string"},
    "TEXT": {"type": "string"},
    "ENUM": {"type": "string"},
    "NUMBER": {"type": "number"},
    "INTEGER": {"type": "integer"},
    "BOOLEAN": {"type": "boolean"},
    "DATE": {"type": "string", "format": "date"},
    "TIME": {"type": "string", "pattern": _TIME},
    "GEOPOINT": {"type": "string"},
    "BINARY": {"type": "string", "contentEncoding": "base64"},
    "ARRAY": {"type": "array"},
    "OBJECT": {"type": "object"},
    "MAP": {"type": "object"},
}
_NOTES = {
    "DATE": "Date as YYYY-MM-DD.",
    "TIME": "Time of day as HH:MM, 24 hours.",
    "GEOPOINT": "Latitude and longitude, separated by a comma.",
    "BINARY": "Bytes in base64.",
}
_FRACTION = re.compile(
    r"(?:^|_)(?:lat|lon|lng|latitude|longitude|price|amount|cost|rate|ratio|weight|height|width|radius"
    r"|distance|temperature|percent|percentage|altitude|speed)(?:$|_)"
)
"""What is no whole number by nature, though its default may be one."""
_INTEGER = re.compile(r"[+-]?[0-9]{1,18}")
_TRUTH = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


def parameter_schema(parameter: Parameter, pointer: str) -> tuple[dict[str, Any], list[Problem]]:
    """Return the schema of an argument and what was noticed.

    The default becomes ``default`` of an optional argument and an example of a required one, unless it
    is a credential, looks like one, or does not fit the type. A ``NUMBER`` is an integer if its default
    is a whole number, but for what is none by nature, such as a latitude.

    Args:
        parameter: As the file declares it.
        pointer: JSON pointer of the API, for the problems.
    """
    problems: list[Problem] = []
    kind = _kind(parameter.kind)
    schema = dict(_SCHEMAS.get(kind, _SCHEMAS["STRING"]))
    if kind not in _SCHEMAS:
        message = f"the parameter {parameter.name[:80]!r} has the unknown type {str(parameter.kind)[:40]!r}"
        problems.append(_problem("type-unknown", f"{message}; it is taken as text", pointer, "degraded"))
    options = _options(parameter)
    if options:
        schema = {"enum": options}
        if all(isinstance(option, str) for option in options):
            schema["type"] = "string"
    default = _default(parameter, kind, options)
    whole = isinstance(default, int) and not _FRACTION.search(words_of(parameter.name))
    if kind == "NUMBER" and not options and whole:
        schema["type"] = "integer"
    if kind == "ARRAY":
        schema["items"] = _items(default)
    shown = parameter.default not in (None, "") and not is_hidden(parameter)
    if default is None and shown and len(str(parameter.default)) <= _LONGEST_DEFAULT:
        message = (
            f"the default of the parameter {parameter.name[:80]!r} is no {kind or 'value'}; it is left out"
        )
        problems.append(_problem("default-mismatch", message, pointer))
    if default is not None:
        schema.update({"examples": [default]} if parameter.required else {"default": default})
    description = clean_text(redact(parameter.description), LONGEST_DESCRIPTION)
    if note := _NOTES.get(kind):
        description = f"{description} {note}".strip()
    if description:
        schema["description"] = description
    return schema, problems


def is_hidden(parameter: Parameter) -> bool:
    """Whether the default of a parameter is a credential, by the parameter's name or by its look."""
    return is_credential(parameter.name) or looks_secret(parameter.default)


def _kind(written: Any) -> str:
    """Return the type without what stands in brackets: ``DATE (YYYY-MM-DD)`` is ``DATE``."""
    return str(written or "").partition("(")[0].strip().upper()[:40]


def _options(parameter: Parameter) -> list[Any]:
    found: dict[tuple[bool, Any], Any] = {}
    for option in parameter.options[:_MOST_OPTIONS]:
        plain = isinstance(option, str | int) or (isinstance(option, float) and math.isfinite(option))
        if plain and not looks_secret(option):
            found.setdefault(_as_option(option), clean_value(option))
    return list(found.values())


def _as_option(value: Any) -> tuple[bool, Any]:
    """Return what is equal for equal JSON values: ``True`` is not 1."""
    return isinstance(value, bool), clean_value(value)


def _default(parameter: Parameter, kind: str, options: list[Any]) -> Any:
    """Return the default as a value of the type; None if there is none that may be shown."""
    value = parameter.default
    if value is None or value == "" or is_hidden(parameter):
        return None
    if len(str(value)) > _LONGEST_DEFAULT:
        return None
    if options:
        return value if _as_option(value) in map(_as_option, options) else None
    if kind in ("NUMBER", "INTEGER"):
        return _number(value, whole=kind == "INTEGER")
    if kind == "BOOLEAN":
        return value if isinstance(value, bool) else _TRUTH.get(str(value).strip().lower())
    if kind in ("ARRAY", "OBJECT", "MAP"):
        return _nested(value, list if kind == "ARRAY" else dict)
    text = clean_string(value) if isinstance(value, str) else json.dumps(clean_value(value))
    if kind == "DATE":
        return text if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text) else None
    if kind == "TIME":
        return text if re.fullmatch(_TIME, text) else None
    return text if redact(text) == text else None


def _number(value: Any, *, whole: bool) -> int | float | None:
    if isinstance(value, bool):
        return None
    text = str(value).strip()
    if _INTEGER.fullmatch(text):
        return int(text)
    try:
        number = float(text)
    except ValueError:
        return None
    return None if whole or not math.isfinite(number) else number


def _nested(value: Any, wanted: type) -> Any:
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return None
    if not isinstance(value, wanted):
        return None
    kept = clean_value(value)
    return kept if redact(json.dumps(kept)) == json.dumps(kept) else None


def _items(default: Any) -> dict[str, Any]:
    items = default if isinstance(default, list) and default else [""]
    if all(isinstance(item, str) for item in items):
        return {"type": ["string", "number"]} if default is None else {"type": "string"}
    if all(isinstance(item, int | float) and not isinstance(item, bool) for item in items):
        return {"type": "number"}
    return {}


def _problem(code: str, message: str, pointer: str, severity: Any = "warning") -> Problem:
    return Problem(code=code, message=message, pointer=pointer, severity=severity)

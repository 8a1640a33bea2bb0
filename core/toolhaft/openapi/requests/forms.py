"""Values as ``application/x-www-form-urlencoded``, as a body or a whole query string.

Source: OpenAPI 3.2.0, sections "Encoding Object" and "Encoding the x-www-form-urlencoded Media Type"; the
URL standard of the WHATWG, section 5.2.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from toolhaft.openapi.media_types import is_json
from toolhaft.openapi.requests import delimited, styles
from toolhaft.openapi.requests.encoding import percent, percent_form, percent_query
from toolhaft.openapi.requests.wire import DeepLists, WireField, XMLShape
from toolhaft.openapi.requests.xml import xml_text


def form_text(value: Any, fields: Mapping[str, WireField], deep_lists: DeepLists = "indices") -> str:
    """Return a value as a form; what is no object is written as one text.

    Args:
        value: The object.
        fields: By property name; those without one are written by the defaults.
        deep_lists: How lists inside a ``deepObject`` are written.

    Raises:
        InvalidArgumentsError: A value cannot be sent.
    """
    if not isinstance(value, dict):
        return percent_form(styles.scalar_text(value))
    made: list[str] = []
    for name, item in value.items():
        if item is None:
            continue
        field = fields.get(name)
        if type(item) is str and (field is None or (field.style is None and not field.media_types)):
            made.append(f"{percent_form(name)}={percent_form(item)}")
        elif field is not None and (field.style is not None or field.delimiters):
            made.extend(f"{key}={text}" for key, text in _styled(name, item, field, deep_lists))
        else:
            key = percent_form(name)
            made.extend(f"{key}={percent_form(text)}" for text in texts_of(item, field))
    return "&".join(made)


def _styled(name: str, value: Any, field: WireField, deep_lists: DeepLists) -> styles.Pairs:
    if field.delimiters and isinstance(value, list):
        key = percent_form(name)
        return [(key, percent_form(text)) for text in delimited.entries(value, field.delimiters, str)]
    encode = percent_query if field.reserved else percent
    return styles.pairs(
        name,
        value,
        field.style or "form",
        field.explode,
        encode,
        encode_name=percent,
        deep_lists=deep_lists,
    )


def texts_of(value: Any, field: WireField | None) -> list[str]:
    """Return the texts of a property by its content types: a list is one for each of its entries."""
    media = field.media_types[0] if field is not None and field.media_types else ""
    shapes = field.xml if field is not None else ()
    if isinstance(value, list) and (field is None or field.each):
        return [content_text(item, media, shapes) for item in value if item is not None]
    return [content_text(value, media, shapes)]


def content_text(value: Any, media_type: str, shapes: tuple[XMLShape, ...] = ()) -> str:
    """Return a value as text of a media type; objects and lists are JSON where it is not known."""
    if shapes and not isinstance(value, str):
        return xml_text(shapes, value)
    return styles.json_text(value) if is_json(media_type) else styles.scalar_text(value)

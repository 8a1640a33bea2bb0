"""Arguments by the tool's own keys, from values by place and wire name."""

import base64

from .generating import ABSENT
from .operations import plain


class Names:
    """Argument keys by place and wire name, as the tool tells them."""

    def __init__(self, tool):
        self.media = plain(next(iter(tool.media_types), ""))
        self.keys = {}
        self.whole = ""
        for (place, name), key in tool.argument_names.items():
            self._learn(place, name, key)

    def _learn(self, place, name, key):
        if place == "body" and not name:
            self.whole = key
        else:
            self.keys[(place, name.lower() if place == "header" else name)] = key

    def arguments(self, given, schema):
        """Return the arguments of a call, and the names that the tool does not know.

        Args:
            given: By place and wire name.
            schema: Of the tool's arguments: what is bytes there is sent as base64.
        """
        found, unknown = {}, []
        declared = schema.get("properties", {})
        for (place, name), value in given.fields.items():
            key = self.keys.get((place, name.lower() if place == "header" else name))
            if key is None:
                unknown.append((place, name))
            else:
                found[key] = value
        if given.body is ABSENT:
            return found, unknown
        if self.whole:
            found[self.whole] = as_argument(given.body, declared.get(self.whole))
        elif isinstance(given.body, dict):
            for name, value in given.body.items():
                key = self.keys.get(("body", name), name)
                if key in found or (("body", name) not in self.keys and key in declared):
                    unknown.append(("free", name))
                else:
                    found[key] = as_argument(value, declared.get(key))
        else:
            unknown.append(("body", ""))
        return found, unknown


def as_argument(value, schema):
    """Return what a caller in Python gives: bytes as they are, text for a file as the text of one."""
    schema = schema if isinstance(schema, dict) else {}
    if isinstance(value, str) and is_file(schema):
        return {"text": value}
    if isinstance(value, list):
        return [as_argument(item, schema.get("items")) for item in value]
    return value


def is_file(schema):
    """Whether the tool takes a file for an argument."""
    branches = schema.get("anyOf", [schema])
    return any(isinstance(one, dict) and one.get("format") == "artifact" for one in branches)


def as_text(value):
    """Return a value with its bytes as base64, for where only text can stand."""
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, dict):
        return {name: as_text(item) for name, item in value.items()}
    return [as_text(item) for item in value] if isinstance(value, list) else value

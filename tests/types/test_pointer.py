from __future__ import annotations

import pytest

from toolhaft.tools.subschemas import referred, resolved
from toolhaft.types.pointer import at_pointer, escape, json_pointer, unescape

VALUE = {"a/b": [{"~c": 1}, None], "~1": 2, "": 3, "list": (4,)}


def test_paths_become_pointers():
    assert json_pointer(["a/b", 0, "~c"]) == "/a~1b/0/~0c"
    assert json_pointer([]) == ""


@pytest.mark.parametrize("key", ["", "plain", "/", "~", "~1", "~01", "a/~b", "~~//"])
def test_escaped_keys_come_back(key):
    assert "/" not in escape(key)
    assert unescape(escape(key)) == key
    assert at_pointer({key: "here"}, json_pointer([key])) == "here"


@pytest.mark.parametrize(
    ("pointer", "found"),
    [
        ("", VALUE),
        ("/a~1b/0/~0c", 1),
        ("/~01", 2),
        ("/", 3),
        ("/list/0", 4),
        ("/list/1", None),
        ("/list/-1", None),
        ("/list/\u0660", None),
        ("/list/" + "9" * 5000, None),
        ("/a~1b/1/deeper", None),
        ("/absent", None),
    ],
)
def test_pointers_find_what_they_name(pointer, found):
    assert at_pointer(VALUE, pointer) == found


@pytest.mark.parametrize(
    ("reference", "found"),
    [
        ("#", {"$defs": {"a b": {"type": "string"}}}),
        ("#/$defs/a%20b", {"type": "string"}),
        ("other.json#/$defs/a%20b", None),
        ("#/$defs/none", None),
        (None, None),
    ],
)
def test_references_lead_inside_a_schema_only(reference, found):
    assert referred({"$defs": {"a b": {"type": "string"}}}, reference) == found


def test_references_are_followed_and_what_stands_beside_them_goes_first():
    root = {
        "$defs": {
            "leaf": {"type": "string", "title": "leaf"},
            "chain": {"$ref": "#/$defs/leaf"},
            "loop": {"$ref": "#/$defs/loop"},
            "beside": {"$ref": "#/$defs/chain", "title": "own"},
        }
    }
    assert resolved({"$ref": "#/$defs/chain"}, root) is root["$defs"]["leaf"]
    assert resolved({"$ref": "#/$defs/beside"}, root) == {"type": "string", "title": "own"}
    assert resolved({"$ref": "#/$defs/loop"}, root) == {}
    assert resolved({"$ref": "#/$defs/absent"}, root) == {}
    assert resolved(True, root) == {}

"""From bytes to a document: formats, encodings, limits, and errors that say where."""

import contextlib
import gzip
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolhaft.errors import SpecError, UsageError
from toolhaft.openapi.documents.document import LIMITS, Limits
from toolhaft.openapi.documents.json_text import nesting, read_json
from toolhaft.openapi.documents.load import read_bytes, read_path, read_value
from toolhaft.openapi.documents.yaml12 import read_yaml, written

MINIMAL = {"openapi": "3.1.0", "info": {"title": "T", "version": "1"}, "paths": {}}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"),
        ("on", "on"),
        ("Yes", "Yes"),
        ("true", True),
        ("FALSE", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("2020-02-29", "2020-02-29"),
        ("12:30:45", "12:30:45"),
        ("010", 10),
        ("0o17", 15),
        ("0x1F", 31),
        ("-7", -7),
        ("1.10", 1.1),
        (".5", 0.5),
        ("1e3", 1000.0),
        (".inf", None),
        ("1_000", "1_000"),
        ("'1'", "1"),
        ("!!str 1", "1"),
        ("!!int '1'", 1),
        ("=", "="),
    ],
)
def test_yaml_scalars_follow_the_core_schema(text, value):
    found = read_yaml(f"key: {text}\n", LIMITS).value["key"]
    assert found == value
    assert type(found).__mro__[-2] is type(value).__mro__[-2]


def test_yaml_keeps_how_numbers_were_written():
    found = read_yaml("[1.10, 010, 5, 2.5]", LIMITS).value
    assert [written(value) for value in found] == ["1.10", "010", "5", "2.5"]


def test_yaml_keys_are_text_as_written():
    assert read_yaml("200: a\non: b\nnull: c\n1.0: d\n", LIMITS).value == {
        "200": "a",
        "on": "b",
        "null": "c",
        "1.0": "d",
    }


def test_yaml_merge_keys_give_way_to_keys_of_their_own():
    text = "base: &b {x: 1, y: 2}\nmore: &m {y: 3, z: 4}\nout: {<<: [*b, *m], x: 9}\n"
    assert read_yaml(text, LIMITS).value["out"] == {"x": 9, "y": 2, "z": 4}


def test_yaml_duplicate_keys_are_reported_with_their_line():
    parsed = read_yaml("a:\n  b: 1\n  c: 2\n  b: 3\n", LIMITS)
    assert parsed.value == {"a": {"b": 3, "c": 2}}
    assert [(p.code, p.pointer, p.line) for p in parsed.problems] == [("duplicate-key", "/a/b", 4)]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a: !!python/object/apply:os.system [id]", "python/object"),
        ("a: [1, 2", "not YAML"),
        ("a: *missing", "missing"),
        ("a: b\n\t- c", "line 2"),
        ("? [a]\n: b", "where a key should"),
        ("[" * 600, "deeper than 500"),
    ],
)
def test_yaml_that_cannot_be_read_is_one_error_with_a_line(text, says):
    with pytest.raises(SpecError, match=r"line \d+") as raised:
        read_yaml(text, LIMITS, "x.yaml")
    assert says in str(raised.value)


def test_yaml_aliases_count_what_they_repeat():
    levels = ["a0: &a0 [x, x]"] + [f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, 40)]
    with pytest.raises(SpecError, match="more than 5000000 values"):
        read_yaml("\n".join(levels), LIMITS)


def test_an_alias_inside_its_own_anchor_reads_as_null():
    parsed = read_yaml("a: &a {self: *a, b: 1}", LIMITS)
    assert parsed.value == {"a": {"self": None, "b": 1}}
    assert parsed.problems[0].code == "alias-loop"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(json_values)
def test_json_reads_back_what_was_written(value):
    text = json.dumps(value)
    assert read_json(text, LIMITS).value == value
    depth = 0
    level = [value]
    while level := [v for item in level if isinstance(item, dict | list) for v in [item]]:
        depth += 1
        level = [v for item in level for v in (item.values() if isinstance(item, dict) else item)]
    assert nesting(text) == depth


@given(st.text(max_size=200))
def test_no_text_makes_the_readers_fail_but_by_a_spec_error(text):
    for read in (read_json, read_yaml):
        with contextlib.suppress(SpecError):
            assert isinstance(read(text, Limits(depth=50, nodes=1000)).references, frozenset)


def test_json_duplicate_keys_are_reported_by_pointer():
    parsed = read_json('{"a": [{"b": 1, "b": 2}]}', LIMITS)
    assert parsed.value == {"a": [{"b": 2}]}
    assert [p.pointer for p in parsed.problems] == ["/a/0/b"]


@pytest.mark.parametrize("text", ['{"a": 1', '{"a": }', "[1, 2"])
def test_broken_json_names_line_and_column(text):
    with pytest.raises(SpecError, match=r"x.json line 1 column \d+"):
        read_json(text, LIMITS, "x.json")


def test_json_nested_too_deeply_is_refused_before_it_is_parsed():
    with pytest.raises(SpecError, match="deeper than 500"):
        read_json("[" * 100_000, LIMITS)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "cp1252"])
def test_encodings_are_told_by_their_marks(encoding):
    text = json.dumps({**MINIMAL, "info": {"title": "Café", "version": "1"}}, ensure_ascii=False)
    found = read_bytes(text.encode(encoding), "x.json")
    assert found.title == "Café"
    assert bool(found.problems) == (encoding not in ("utf-8", "utf-8-sig"))


def test_a_gzipped_document_is_unpacked_within_the_limit():
    data = gzip.compress(json.dumps(MINIMAL).encode())
    assert read_bytes(data, "x.json.gz").version == "3.1.0"
    with pytest.raises(SpecError, match="larger than 20 bytes"):
        read_bytes(data, "x.json.gz", Limits(max_bytes=20))
    with pytest.raises(SpecError, match="cut off"):
        read_bytes(data[:-12], "x.json.gz")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "empty"),
        ("<!DOCTYPE html><html>", "HTML"),
        ("<?xml version='1.0'?><application/>", "XML"),
        ('{"swagger": "1.2", "paths": {}}', "Swagger 1.2"),
        ('{"swaggerVersion": "1.2"}', "Swagger 1"),
        ("asyncapi: 2.6.0", "AsyncAPI"),
        ("arazzo: 1.0.0", "Arazzo"),
        ('{"info": {"_postman_id": "x", "name": "c"}, "item": []}', "Postman"),
        ('{"$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object"}', "JSON Schema"),
        ('{"log": {"entries": []}}', "HAR"),
        ('{"paths": {}}', "no `openapi` version"),
        ("[1]", "a list"),
        ("openapi: 4.0.0", "4.0.0"),
        ("just words", "the root is text"),
        ("a\x00b", "U+0000"),
    ],
)
def test_what_is_not_openapi_3_is_named(text, says):
    with pytest.raises(SpecError) as raised:
        read_bytes(text.encode(), "x")
    assert says in str(raised.value)
    assert raised.value.where.startswith("x")


@pytest.mark.parametrize(
    ("version", "dialect"),
    [("3.0.0", "3.0"), (3.0, "3.0"), ("3.1.1", "3.1"), ("3.2.0", "3.1"), ("3.7.0", "3.1")],
)
def test_versions_choose_the_dialect(version, dialect):
    assert read_value({**MINIMAL, "openapi": version}).dialect == dialect


def test_a_parsed_document_is_copied_into_json():
    import datetime

    given_value = {
        **MINIMAL,
        "x-date": datetime.date(2020, 1, 2),
        "x-n": {200: (1, 2)},
        "x-r": {"$ref": "#/info"},
    }
    found = read_value(given_value)
    given_value["paths"]["/late"] = {}
    assert found.root["x-date"] == "2020-01-02"
    assert found.root["x-n"] == {"200": [1, 2]}
    assert found.root["paths"] == {}
    assert found.references == {"#/info"}


def test_a_parsed_document_that_holds_itself_is_refused():
    loop = dict(MINIMAL)
    loop["x-self"] = loop
    with pytest.raises(SpecError, match="holds itself"):
        read_value(loop)
    with pytest.raises(SpecError, match="type set is not JSON"):
        read_value({**MINIMAL, "x": {1}})


def test_a_missing_file_is_the_callers_mistake(tmp_path):
    with pytest.raises(UsageError, match="No such file"):
        read_path(tmp_path / "none.yaml")

"""What holds for every document: the same text gives the same tools, and what was named stays named."""

import copy
import json
import os
import subprocess
import sys

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from toolhaft.openapi.documents.load import read_value
from toolhaft.openapi.importing import import_document
from toolhaft.openapi.options import ImportOptions
from toolhaft.openapi.source import OpenAPISource
from toolhaft.tools.catalog_file import open_catalog_file
from toolhaft.types import to_value

pytestmark = pytest.mark.slow
slow_ones = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
METHODS = ["get", "post", "put", "delete", "patch", "head", "options", "trace"]
IDENTIFIERS = st.none() | st.sampled_from(
    [
        "list",
        "List",
        "list_items",
        "list items",
        "listItems",
        "é",
        "получить",
        "a" * 80,
        "a" * 81,
        "x.y",
        "__",
        "",
    ]
)
SCHEMAS = st.sampled_from(
    [
        {"type": "string"},
        {"type": "integer", "minimum": 1},
        {"type": "array", "items": {"type": "string"}},
        {"$ref": "#/components/schemas/A"},
        {"$ref": "#/components/schemas/B"},
        {"$ref": "#/nowhere"},
        {"oneOf": [{"type": "string"}, {"$ref": "#/components/schemas/A"}]},
        {
            "type": "object",
            "properties": {"id": {"type": "string"}, "self": {"$ref": "#/components/schemas/B"}},
        },
        {},
    ]
)
PLACES = st.sampled_from(["query", "header", "cookie", "path"])
parameters = st.lists(
    st.builds(
        lambda name, place, schema, required: {
            "name": name,
            "in": place,
            "schema": schema,
            "required": required,
        },
        st.sampled_from(["id", "q", "$top", "filter[name]", "X-Id", "ids"]),
        PLACES,
        SCHEMAS,
        st.booleans(),
    ),
    max_size=4,
)


@st.composite
def operations(draw):
    """Return an operation."""
    made = {"responses": {}, "parameters": draw(parameters)}
    identifier = draw(IDENTIFIERS)
    if identifier is not None:
        made["operationId"] = identifier
    if draw(st.booleans()):
        made["requestBody"] = {"content": {"application/json": {"schema": draw(SCHEMAS)}}}
    return made


paths = st.sampled_from(
    ["/", "/a", "/a/{id}", "/a/{id}/b", "/A", "/items", "/items/{x}", "/a.b", "/é", "/a/{id}:run"]
)
items = st.dictionaries(st.sampled_from(METHODS), operations(), min_size=1, max_size=4)
listed = st.dictionaries(paths, items, min_size=1, max_size=5)
versions = st.sampled_from(["3.0.0", "3.0.3", "3.1.0", "3.2.0"])


def document(version, found):
    """Return a document of these paths."""
    return {
        "openapi": version,
        "info": {"title": "T", "version": "1"},
        "servers": [{"url": "https://api.example.com"}],
        "paths": found,
        "components": {
            "schemas": {
                "A": {
                    "type": "object",
                    "properties": {"a": {"type": "integer"}, "b": {"$ref": "#/components/schemas/B"}},
                },
                "B": {"type": "object", "properties": {"a": {"$ref": "#/components/schemas/A"}}},
            }
        },
    }


def tools_of(value, **options):
    """Return name -> spec and wire, and the report, as JSON."""
    found = import_document(read_value(value), ImportOptions(**options))
    made = {name: [to_value(part) for part in found.build(name)] for name in found.plans}
    return json.dumps(made), json.dumps(found.report.to_dict())


def names_of(value, **options):
    """Return method and path -> name."""
    found = import_document(read_value(value), ImportOptions(**options))
    return {f"{entry.method} {entry.path}": entry.name for entry in found.report.operations if entry.name}


@slow_ones
@given(versions, listed)
def test_the_import_is_deterministic(version, found):
    value = document(version, found)
    assert tools_of(value) == tools_of(copy.deepcopy(value))


@slow_ones
@given(versions, listed)
def test_the_order_in_which_tools_are_built_is_of_no_consequence(version, found):
    value = document(version, found)
    forwards = import_document(read_value(value), ImportOptions())
    backwards = import_document(read_value(value), ImportOptions())
    first = {name: forwards.build(name) for name in forwards.plans}
    second = {name: backwards.build(name) for name in reversed(backwards.plans)}
    assert first == second


def test_another_process_makes_the_same_tools():
    value = document(
        "3.1.0", {"/a/{id}": {"get": {"parameters": [{"name": "q", "in": "query"}]}, "post": {}}}
    )
    for seed in ("1", "2"):
        done = subprocess.run(
            [sys.executable, __file__],
            input=json.dumps(value),
            capture_output=True,
            text=True,
            env={**os.environ, "PYTHONHASHSEED": seed},
            timeout=60,
        )
        assert done.returncode == 0, done.stderr[-1000:]
        assert json.loads(done.stdout) == list(tools_of(value))


@pytest.mark.anyio
@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
@given(version=versions, found=listed)
async def test_a_catalog_file_and_an_import_from_it_are_the_same(tmp_path, version, found):
    source = OpenAPISource()
    value = document(version, found)
    if not tools_of(value)[0].strip("{}"):
        return
    for number, name in enumerate(("first.catalog", "second.catalog")):
        catalog = await source.load(value)
        catalog.save(tmp_path / name)
        kept = open_catalog_file(tmp_path / name, source.bind)
        assert list(kept) == list(catalog)
        assert [kept[name].spec for name in kept] == [catalog[name].spec for name in catalog]
        assert [kept[name].binding() for name in kept] == [catalog[name].binding() for name in catalog]
        assert kept.report.to_dict() == catalog.report.to_dict(), number
        again = tmp_path / f"again-{name}"
        kept.save(again)
        twice = open_catalog_file(again, source.bind)
        assert [twice[name].spec for name in twice] == [catalog[name].spec for name in catalog]
        for one in (kept, twice, catalog):
            await one.close()


@slow_ones
@given(versions, listed, operations(), st.sampled_from(["/zz", "/zz/{id}", "/z.z"]), st.sampled_from(METHODS))
def test_an_operation_that_comes_last_renames_no_other(version, found, operation, path, method):
    before = names_of(document(version, found))
    more = {**found, path: {method: operation}}
    after = names_of(document(version, more))
    assert before.items() <= after.items()


@slow_ones
@given(versions, listed, operations(), st.sampled_from(["/zz", "/zz/{id}", "/z.z"]), st.sampled_from(METHODS))
def test_an_operation_that_comes_first_renames_no_other_whose_name_was_kept(
    version, found, operation, path, method
):
    before = names_of(document(version, found))
    more = {path: {method: operation}, **dict(reversed(found.items()))}
    after = names_of(document(version, more), names=before)
    assert before.items() <= after.items()


@slow_ones
@given(versions, listed, st.sampled_from(METHODS))
def test_an_operation_with_a_name_of_its_own_renames_no_other_wherever_it_stands(version, found, method):
    before = names_of(document(version, found))
    first = {"/zz": {method: {"operationId": "entirely_new"}}, **found}
    after = names_of(document(version, first))
    assert before.items() <= after.items()
    assert len({name.casefold() for name in after.values()}) == len(after)


@slow_ones
@given(versions, listed, st.data())
def test_an_operation_is_the_same_without_the_others(version, found, data):
    path = data.draw(st.sampled_from(list(found)))
    whole = import_document(read_value(document(version, found)), ImportOptions())
    alone = import_document(read_value(document(version, {path: found[path]})), ImportOptions())
    renamed = {entry.pointer: entry.name for entry in whole.report.operations}
    for entry in alone.report.operations:
        if entry.name and entry.name == renamed[entry.pointer]:
            assert alone.build(entry.name) == whole.build(entry.name)


if __name__ == "__main__":
    print(json.dumps(tools_of(json.load(sys.stdin))))

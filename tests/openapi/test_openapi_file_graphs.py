"""Files that refer to each other in every way: linking ends, and no reference keeps two meanings."""

import json
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from toolhaft.openapi.documents.load import read_path
from toolhaft.openapi.documents.resolve import BrokenReferenceError, Resolver, references_in
from toolhaft.openapi.importing import import_document
from toolhaft.openapi.options import ImportOptions
from toolhaft.tools.schema import compile_schema

pytestmark = pytest.mark.slow
NAMES = ["root.json", "a.json", "b.json", "sub/c.json", "sub/d.json"]
FRAGMENTS = [
    "",
    "#",
    "#/",
    "#/x",
    "#/x/y",
    "#/x/properties/p",
    "#/properties/p",
    "#/p/q/r",
    "#here",
    "#/$defs/D",
    "#/get",
]
references = st.builds(
    lambda folder, name, fragment: f"{folder}{name}{fragment}",
    st.sampled_from(["", "./", "../", "sub/", "../sub/", "https://e.org/"]),
    st.sampled_from(["", *NAMES, "c.json", "d.json", "none.json"]),
    st.sampled_from(FRAGMENTS),
)
scalars = st.sampled_from(["object", "here", 1, None, True])
KEYS = [
    *(
        "$ref",
        "$dynamicRef",
        "x",
        "y",
        "p",
        "q",
        "properties",
        "items",
        "allOf",
        "$defs",
        "D",
        "get",
        "parameters",
    ),
    *(
        "$id",
        "$anchor",
        "$dynamicAnchor",
        "description",
        "discriminator",
        "mapping",
        "examples",
        "type",
        "enum",
    ),
]
nodes = st.recursive(
    scalars | references,
    lambda inner: (
        st.dictionaries(st.sampled_from(KEYS), inner, max_size=4)
        | st.lists(inner, max_size=2)
        | st.builds(lambda reference: {"$ref": reference}, references)
    ),
    max_leaves=15,
)


@settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.lists(nodes, min_size=5, max_size=5), nodes, references, st.sampled_from(["3.0.3", "3.1.0", "3.2.0"])
)
def test_any_graph_of_files_is_linked(tmp_path_factory, values, schema, item, version):
    folder = tmp_path_factory.mktemp("graph")
    (folder / "sub").mkdir()
    for name, value in zip(NAMES[1:], values[1:], strict=True):
        (folder / name).write_text(json.dumps(value))
    body = {"content": {"application/json": {"schema": schema}}}
    root = {
        "openapi": version,
        "info": {"title": "T", "version": "1"},
        "paths": {
            "/r": {"post": {"operationId": "r", "requestBody": body}},
            "/i": {"$ref": item},
            "/good": {"get": {"operationId": "good"}},
        },
        "components": {"schemas": {"A": values[0]}},
        "x": values[0],
    }
    (folder / "root.json").write_text(json.dumps(root))
    started = time.process_time()
    document = read_path(folder / "root.json")
    found = import_document(document, ImportOptions())
    for name in found.plans:
        compile_schema(found.build(name)[0].parameters)
    assert time.process_time() - started < 3
    assert "good" in found.plans
    resolver = Resolver(document.root, document.files, document.unread)
    for reference in references_in(document.root["paths"]["/r"]):
        location = reference.partition("#")[0]
        if location.startswith((".", "https:")):
            assert resolver.problem(reference).kind == "external"
            continue
        assert location in ("", *document.files, *document.unread)
        try:
            value, pointer = resolver.find(reference)
        except BrokenReferenceError:
            continue
        assert resolver.at(pointer) is value


def test_a_long_chain_of_files_is_linked_in_linear_time(tmp_path):
    count = 1500
    for number in range(count):
        value = {"properties": {"next": {"$ref": f"f{number + 1}.json"}, "root": {"$ref": "root.json#/x"}}}
        (tmp_path / f"f{number}.json").write_text(json.dumps(value))
    (tmp_path / f"f{count}.json").write_text("{}")
    root = {"openapi": "3.1.0", "paths": {}, "components": {"schemas": {"A": {"$ref": "f0.json"}}}, "x": {}}
    (tmp_path / "root.json").write_text(json.dumps(root))
    started = time.process_time()
    document = read_path(tmp_path / "root.json")
    assert len(document.files) == count + 1
    assert time.process_time() - started < 4

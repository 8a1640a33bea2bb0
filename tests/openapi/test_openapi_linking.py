"""What references mean where descriptions name their parts: identifiers, anchors, mappings, odd places."""

import json

import pytest

from toolhaft.openapi.documents.load import read_path, read_value
from toolhaft.openapi.documents.resolve import BrokenReferenceError, Resolver


@pytest.fixture
def linked(tmp_path):
    """Link a root with the files beside it; return the document and its resolver."""

    def run(root, files=None, version="3.1.0"):
        value = {"openapi": version, "info": {"title": "T", "version": "1"}, "paths": {}, **root}
        for name, content in (files or {}).items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(content))
        (tmp_path / "root.json").write_text(json.dumps(value))
        document = read_path(tmp_path / "root.json")
        return document, Resolver(document.root, document.files, document.unread)

    return run


def schemas(**found):
    return {"components": {"schemas": found}}


def test_an_identifier_is_found_without_the_network(linked):
    pet = {"$id": "https://example.com/schemas/pet", "type": "object"}
    owner = {"properties": {"pet": {"$ref": "https://example.com/schemas/pet"}}}
    document, resolver = linked(schemas(Pet=pet, Owner=owner))
    reference = document.root["components"]["schemas"]["Owner"]["properties"]["pet"]["$ref"]
    assert resolver.find(reference) == (pet, "/components/schemas/Pet")


def test_a_reference_is_relative_to_the_part_it_stands_in(linked):
    part = {
        "$id": "https://example.com/part",
        "$defs": {"Name": {"type": "string"}, "A": {"$anchor": "a", "type": "integer"}},
        "properties": {
            "name": {"$ref": "#/$defs/Name"},
            "a": {"$ref": "#a"},
            "self": {"$ref": "#"},
            "sibling": {"$ref": "other"},
            "file_style": {"$ref": "#/components/schemas/Other"},
        },
    }
    other = {"$id": "https://example.com/other", "type": "boolean"}
    document, resolver = linked(schemas(Part=part, Other=other))
    properties = document.root["components"]["schemas"]["Part"]["properties"]
    pointers = {key: resolver.find(value["$ref"])[1] for key, value in properties.items()}
    assert pointers == {
        "name": "/components/schemas/Part/$defs/Name",
        "a": "/components/schemas/Part/$defs/A",
        "self": "/components/schemas/Part",
        "sibling": "/components/schemas/Other",
        "file_style": "/components/schemas/Other",
    }


def test_identifiers_mean_nothing_before_3_1(linked):
    part = {"$id": "https://example.com/part", "properties": {"n": {"$ref": "#/components/schemas/Part"}}}
    document, resolver = linked(
        {**schemas(Part=part, Far={"$ref": "https://example.com/part"})}, version="3.0.3"
    )
    assert resolver.find("#/components/schemas/Part")[0]["$id"] == "https://example.com/part"
    with pytest.raises(BrokenReferenceError) as raised:
        resolver.follow({"$ref": "#/components/schemas/Far"}, "")
    assert raised.value.kind == "external"
    assert document.files == {}


def test_a_property_named_like_an_identifier_is_none(linked):
    schema = {"properties": {"$id": {"type": "string"}, "$self": {"type": "string"}, "x": {"$ref": "#/info"}}}
    document, _ = linked(schemas(A=schema))
    assert document.root["components"]["schemas"]["A"]["properties"]["x"] == {"$ref": "#/info"}


def test_dynamic_references_find_their_anchor(linked):
    node = {
        "$id": "https://example.com/node",
        "$dynamicAnchor": "node",
        "properties": {"children": {"items": {"$dynamicRef": "#node"}}},
    }
    document, resolver = linked(schemas(Node=node))
    items = document.root["components"]["schemas"]["Node"]["properties"]["children"]["items"]
    assert resolver.find(items["$dynamicRef"])[1] == "/components/schemas/Node"


@pytest.mark.parametrize(
    "reference",
    [
        "schemas/pet.json",
        "https://api.example.com/v1/schemas/pet.json",
        "https://api.example.com/v1/openapi.json#/components/schemas/Local",
    ],
)
def test_the_documents_own_address_stands_for_its_folder(linked, reference):
    root = schemas(A={"$ref": reference}, Local={"type": "object"})
    document, resolver = linked(
        {**root, "$self": "https://api.example.com/v1/openapi.json"},
        {"schemas/pet.json": {"type": "object"}},
        version="3.2.0",
    )
    assert resolver.follow({"$ref": "#/components/schemas/A"}, "")[0] == {"type": "object"}
    assert document.problems == ()


def test_an_address_never_leads_out_of_the_folder(linked, tmp_path):
    (tmp_path / "api").mkdir()
    root = {
        **schemas(A={"$ref": "https://api.example.com/secret.json"}),
        "$self": "https://api.example.com/a/x",
    }
    document, _ = linked(root, version="3.2.0")
    assert document.files == {}
    root = {
        **schemas(A={"$ref": "https://api.example.com/a/../../secret.json"}),
        "$self": "https://api.example.com/a/x",
    }
    document, _ = linked(root, version="3.2.0")
    assert document.files == {}


def test_identifiers_in_other_files_are_known(linked):
    files = {"lib.json": {"$defs": {"Pet": {"$id": "urn:example:pet", "type": "object"}}, "type": "null"}}
    root = schemas(A={"$ref": "lib.json"}, B={"properties": {"p": {"$ref": "urn:example:pet"}}})
    document, resolver = linked(root, files)
    written = document.root["components"]["schemas"]["B"]["properties"]["p"]["$ref"]
    assert written == "lib.json#/$defs/Pet"
    assert resolver.find(written)[0]["type"] == "object"


def test_mappings_of_discriminators_are_written_anew_and_names_stay(linked):
    mapping = {"a": "Cat", "b": "dog.json", "c": "#/components/schemas/Cat", "d": "http://x.example/y.json"}
    animal = {"discriminator": {"propertyName": "k", "mapping": mapping}, "oneOf": [{"$ref": "fish.json"}]}
    fish = {
        "discriminator": {"propertyName": "k", "mapping": {"f": "Ray", "g": "#/components/schemas/Ray"}},
        "components": {"schemas": {"Ray": {}}},
    }
    document, _ = linked(schemas(Cat={}, Animal=animal), {"dog.json": {}, "fish.json": fish}, "3.0.3")
    assert document.root["components"]["schemas"]["Animal"]["discriminator"]["mapping"] == {
        "a": "Cat",
        "b": "dog.json#",
        "c": "#/components/schemas/Cat",
        "d": "http://x.example/y.json",
    }
    written = document.files["fish.json"]["discriminator"]["mapping"]
    assert written == {
        "f": "fish.json#/components/schemas/Ray",
        "g": "fish.json#/components/schemas/Ray",
    }
    assert set(document.files) == {"dog.json", "fish.json"}


def test_references_in_data_are_data(linked):
    sample = {"$ref": "sample.json#/a"}
    schema = {"example": sample, "default": sample, "enum": [sample], "const": sample, "examples": [sample]}
    media = {"schema": schema, "examples": {"one": {"value": sample}, "two": {"$ref": "more.json"}}}
    paths = {"/a": {"post": {"requestBody": {"content": {"application/json": media}}, "x-any": [sample]}}}
    document, _ = linked({"paths": paths}, {"sample.json": {"a": 1}, "more.json": {"value": 2}})
    post = document.root["paths"]["/a"]["post"]
    kept = post["requestBody"]["content"]["application/json"]
    assert kept["schema"] == schema
    assert kept["examples"]["one"] == {"value": sample}
    assert post["x-any"] == [sample]
    assert document.files == {}


def test_a_property_may_be_named_like_a_reference(linked):
    schema = {"properties": {"$ref": {"type": "string"}, "b": {"$ref": "b.json"}}}
    document, _ = linked(schemas(A=schema), {"b.json": {"properties": {"$ref": {"type": "integer"}}}})
    assert document.root["components"]["schemas"]["A"]["properties"]["$ref"] == {"type": "string"}
    assert document.files["b.json"] == {"properties": {"$ref": {"type": "integer"}}}


@pytest.mark.parametrize(
    ("root", "files", "place", "expected"),
    [
        (
            {"paths": {"$ref": "paths.json"}},
            {"paths.json": {"/a": {"get": {}}}},
            ("paths",),
            {"/a": {"get": {}}},
        ),
        ({"components": {"$ref": "c.json"}}, {"c.json": {"x": 1}}, ("components",), {"x": 1}),
        (
            {"components": {"schemas": {"$ref": "#/x-s"}}, "x-s": {"A": {"type": "string"}}},
            {},
            ("components", "schemas"),
            {"A": {"type": "string"}},
        ),
        ({"info": {"description": {"$ref": "i.md"}}}, {"i.md": "text"}, ("info", "description"), '"text"'),
        ({"tags": {"$ref": "t.json"}}, {"t.json": [{"name": "a"}]}, ("tags",), [{"name": "a"}]),
        ({"servers": {"$ref": "s.json#/x"}}, {"s.json": {"x": [1]}}, ("servers",), [1]),
    ],
    ids=["paths", "components", "schemas", "text", "tags", "servers"],
)
def test_references_in_odd_places_are_made_good(linked, root, files, place, expected):
    document, _ = linked(root, files)
    found = document.root
    for key in place:
        found = found[key]
    assert found == expected


def test_a_document_is_not_changed_for_its_owner():
    value = {"openapi": "3.1.0", "paths": {"/a": {"$ref": "./a.yaml"}}, "x": {"$id": "https://e.org/x"}}
    before = json.dumps(value)
    read_value(value)
    assert json.dumps(value) == before


PAGE = {
    "$id": "https://example.com/page",
    "type": "object",
    "properties": {"items": {"type": "array", "items": {"$dynamicRef": "#item"}}, "next": {"$ref": "#"}},
    "$defs": {"item": {"$dynamicAnchor": "item", "not": {}}},
}


def test_a_part_fills_what_another_left_open(linked):
    pets = {"$id": "pets", "$ref": "page", "$defs": {"item": {"$dynamicAnchor": "item", "type": "string"}}}
    ids = {"$id": "ids", "$ref": "page", "$defs": {"item": {"$dynamicAnchor": "item", "type": "integer"}}}
    root = {**schemas(Page=PAGE, Pets=pets, Ids=ids), "$self": "https://example.com/api"}
    document, resolver = linked(root, version="3.2.0")
    for name, kind in (("Pets", "string"), ("Ids", "integer")):
        page, _ = resolver.follow({"$ref": f"#/components/schemas/{name}"}, "")
        item, _ = resolver.find(page["properties"]["items"]["items"]["$dynamicRef"])
        assert item["type"] == kind
        assert resolver.find(page["properties"]["next"]["$ref"])[0] is page
    page = document.root["components"]["schemas"]["Page"]
    assert resolver.find(page["properties"]["items"]["items"]["$dynamicRef"])[0] == PAGE["$defs"]["item"]


def test_a_stricter_tree_is_strict_all_the_way(linked):
    tree = {
        "$id": "https://example.com/tree",
        "$dynamicAnchor": "node",
        "properties": {"children": {"items": {"$dynamicRef": "#node"}}},
    }
    strict = {
        "$id": "https://example.com/strict",
        "$dynamicAnchor": "node",
        "allOf": [{"$ref": "tree"}],
        "unevaluatedProperties": False,
    }
    document, resolver = linked(schemas(Tree=tree, Strict=strict))
    found = document.root["components"]["schemas"]["Strict"]
    inner, _ = resolver.follow(found["allOf"][0], "")
    assert resolver.find(inner["properties"]["children"]["items"]["$dynamicRef"])[0] is found

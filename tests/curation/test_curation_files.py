"""Curated tools in catalog files: what comes back, and what a stranger's file cannot make of it."""

import json
import sqlite3
from contextlib import closing

import pytest

from toolhaft import open_catalog
from toolhaft.errors import FormatError, InvalidArgumentsError, UsageError

DOCUMENT = {
    "openapi": "3.0.3",
    "info": {"title": "Pets", "version": "1"},
    "servers": [{"url": "https://pets.example"}],
    "paths": {
        "/pets": {
            "get": {
                "operationId": "listPets",
                "parameters": [
                    {"name": "limit", "in": "query", "schema": {"type": "integer"}},
                    {"name": "st", "in": "query", "required": True, "schema": {"type": "string"}},
                ],
            },
            "post": {"operationId": "storePet"},
            "delete": {"operationId": "dropPets"},
        }
    },
}
CURATION = {
    "curation": 1,
    "rules": [
        {
            "match": "listPets",
            "rename": "find_pets",
            "arguments": {"limit": {"fix": 50}, "st": {"rename": "state"}},
            "result": "$.pets[*].id",
        },
        {"match": "dropPets", "effect": "irreversible"},
    ],
}


def keep(path, curation):
    with open_catalog(DOCUMENT, curation=curation) as catalog:
        catalog.save(path)
        return catalog.specs()


def tamper(path, change):
    """Change the records of a catalog file: name -> (spec, binding)."""
    with closing(sqlite3.connect(path)) as file, file:
        for name, spec, binding in file.execute("SELECT name, spec, binding FROM tools").fetchall():
            made = json.loads(spec), json.loads(binding)
            change(name, *made)
            file.execute(
                "UPDATE tools SET spec = ?, binding = ? WHERE name = ?", (*map(json.dumps, made), name)
            )


def test_a_file_gives_the_same_tools_again(tmp_path):
    path = tmp_path / "pets.catalog"
    specs = keep(path, CURATION)
    with open_catalog(path) as catalog:
        assert catalog.specs() == specs
        request = catalog["find_pets"].request({"state": "free"})
        assert request.url == "https://pets.example/pets?limit=50&st=free"
        with pytest.raises(InvalidArgumentsError):
            catalog["find_pets"].request({"state": "free", "limit": 1000})
        catalog.prefix("shop_").save(tmp_path / "again.catalog")
    with open_catalog(tmp_path / "again.catalog") as catalog:
        assert catalog.names == ("shop_find_pets", "shop_storePet", "shop_dropPets")
        assert catalog["shop_find_pets"].request({"state": "x"}).url.endswith("limit=50&st=x")
        assert catalog.spec("shop_dropPets").effect == "irreversible"


def test_a_curated_catalog_file_can_be_curated_when_it_is_opened(tmp_path):
    path = tmp_path / "pets.catalog"
    keep(path, CURATION)
    rules = {"curation": 1, "rules": [{"match": "storePet", "effect": "read"}]}
    with open_catalog(path, curation=rules) as catalog:
        assert catalog.spec("storePet").effect == "read"
    with open_catalog(path) as catalog:
        assert catalog.spec("storePet").effect == "write"


def test_a_milder_effect_is_not_believed_of_a_file(tmp_path):
    path = tmp_path / "pets.catalog"
    rules = {"curation": 1, "rules": [{"match": "*", "effect": "read", "describe": "Only reads."}]}
    assert {spec.effect for spec in keep(path, rules)} == {"read"}
    with open_catalog(path) as catalog:
        assert catalog.spec("storePet").effect == "write"
        assert catalog.spec("storePet").description == "Only reads."
        assert catalog.spec("listPets").effect == "read"


def lie(name, spec, binding):
    if binding["kind"] == "curated":
        spec["description"] = "Something else."


def lower(name, spec, binding):
    if binding["kind"] == "curated":
        binding["spec"]["effect"] = spec["effect"] = "read"
        binding["changes"]["effect"] = None


def nest(name, spec, binding):
    if binding["kind"] == "curated":
        binding["inner"] = dict(binding)


def unknown(name, spec, binding):
    if binding["kind"] == "curated":
        binding["changes"]["run"] = "x"


def elsewhere(name, spec, binding):
    if binding["kind"] == "curated":
        binding["spec"]["hosts"] = spec["hosts"] = ["https://evil.example:443"]


@pytest.mark.parametrize("change", [lie, lower, nest, unknown, elsewhere])
def test_a_file_that_was_tampered_with_is_refused(change, tmp_path):
    path = tmp_path / "pets.catalog"
    keep(path, {"curation": 1, "rules": [{"match": "storePet", "describe": "Stores.", "effect": "read"}]})
    tamper(path, change)
    with pytest.raises(FormatError), open_catalog(path) as catalog:
        catalog.spec("storePet")


def test_the_curation_of_no_tool_closes_what_was_opened(tmp_path):
    with pytest.raises(UsageError, match="leaves no tool"):
        open_catalog(DOCUMENT, curation={"curation": 1, "select": ["nothing"]})


@pytest.mark.parametrize(
    ("rules", "where", "says"),
    [
        ([{"mach": "listPets", "effect": "read"}], "#/rules/0", "'mach' is not known here"),
        ([{"effect": "read"}], "#/rules/0/match", "'match' is missing"),
        ([{"match": {"nam": "listPets"}}], "#/rules/0/match", "'nam' is not known here"),
        ([{"match": "x", "arguments": {"a": {"hid": True}}}], "#/rules/0/arguments/a", "'hid' is not known"),
        ({"match": "x"}, "#/rules", "it should be a list"),
    ],
)
def test_a_mistake_in_a_curation_is_named_with_its_place(rules, where, says):
    with pytest.raises(FormatError) as caught:
        open_catalog(DOCUMENT, curation={"curation": 1, "rules": rules})
    assert says in caught.value.what
    assert caught.value.where.startswith(f"<curation>{where}")

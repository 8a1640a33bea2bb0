"""The documents describe what the services do, and describe it well."""

import importlib

import pytest

from toolhaft.errors import ConfigError
from toolhaft.openapi.resolve import Resolver
from toolhaft.world.documents import document_path, read_data, read_document, service_names
from toolhaft.world.service import Setting

SERVICES = service_names()
METHODS = {"get", "put", "post", "delete", "patch"}


def operations(document):
    for path, item in document["paths"].items():
        for method, operation in item.items():
            yield path, method, operation


def test_there_are_many_operations_with_names_of_their_own():
    names = [op["operationId"] for name in SERVICES for _, _, op in operations(read_document(name))]
    assert len(names) >= 48
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("service", SERVICES)
def test_every_operation_is_implemented_and_nothing_else(service):
    module = importlib.import_module(f"toolhaft.world.services.{service}")
    documented = {op["operationId"] for _, _, op in operations(read_document(service))}
    assert set(module.SERVICE.operations) == documented


@pytest.mark.parametrize("service", SERVICES)
def test_everything_is_described(service):
    document = read_document(service)
    resolver = Resolver(document)
    for path, method, operation in operations(document):
        where = f"{method} {path}"
        assert method in METHODS, where
        assert operation["summary"], where
        assert operation["description"].endswith("."), where
        assert operation["summary"] not in operation["description"], where
        assert operation["tags"], where
        for node in operation.get("parameters", ()):
            assert resolver.follow(node, "")[0]["description"], where
        for body in operation.get("requestBody", {}).get("content", {}).values():
            assert body["schema"]["additionalProperties"] is False, where
            for name, schema in body["schema"]["properties"].items():
                assert schema.get("description") or resolver.follow(schema, "")[0].get("description"), (
                    where,
                    name,
                )


@pytest.mark.parametrize("service", SERVICES)
def test_no_reference_leads_nowhere(service):
    document = read_document(service)
    assert Resolver(document).broken_within(document) == []


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_begins_the_same_for_the_same_seed_alone(service):
    begin = importlib.import_module(f"toolhaft.world.services.{service}").SERVICE.begin
    data = read_data(service)
    assert begin(Setting(data=data, seed=3)) == begin(Setting(data=data, seed=3))


def test_the_four_ways_of_authentication():
    found = {name: read_document(name)["components"].get("securitySchemes", {}) for name in SERVICES}
    ways = {
        name: [(s["type"], s.get("in") or s.get("scheme")) for s in row.values()]
        for name, row in found.items()
    }
    assert ways == {
        "weather": [],
        "travel": [("apiKey", "query")],
        "shop": [("apiKey", "header")],
        "calendar": [("http", "bearer")],
    }


def test_the_folder_can_be_replaced(tmp_path, monkeypatch):
    monkeypatch.setenv("TOOLHAFT_TOOL_SPECS", str(tmp_path))
    with pytest.raises(ConfigError, match="bundled tool specs are missing"):
        document_path("shop")


@pytest.mark.parametrize("service", SERVICES)
def test_the_documents_are_valid_openapi(service):
    validator = pytest.importorskip("openapi_spec_validator", reason="the extra openapi is not installed")
    validator.validate(read_document(service), cls=validator.OpenAPIV31SpecValidator)

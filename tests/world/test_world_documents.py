"""The documents describe what the services do, and describe it well."""

import re
from pathlib import Path

import openapi_spec_validator
import pytest

from toolhaft.errors import ConfigError
from toolhaft.openapi.documents.resolve import Resolver
from toolhaft.world.documents import document_path, read_document, service_names
from toolhaft.world.loading import load_service
from toolhaft.world.service import Setting
from toolhaft.world.tasks import KINDS, TRAITS

SERVICES = service_names()
METHODS = {"get", "put", "post", "delete", "patch"}


def operations(document):
    for path, item in document["paths"].items():
        for method, operation in item.items():
            yield path, method, operation


def test_there_are_many_operations_with_names_of_their_own():
    names = [op["operationId"] for name in SERVICES for _, _, op in operations(read_document(name))]
    assert len(SERVICES) >= 12
    assert len(names) >= 200
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("service", SERVICES)
def test_every_operation_is_implemented_and_nothing_else(service):
    documented = {op["operationId"] for _, _, op in operations(read_document(service))}
    assert set(load_service(service).service.operations) == documented


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
    loaded = load_service(service)
    settings = [Setting(data=loaded.data, seed=3) for _ in range(2)]
    assert loaded.service.begin(settings[0]) == loaded.service.begin(settings[1])


def test_every_way_of_authentication_is_shown():
    found = {name: load_service(name).schemes.values() for name in SERVICES}
    ways = {
        name: [(s["type"], s.get("in") or s.get("scheme")) for s in schemes]
        for name, schemes in found.items()
    }
    assert ways["weather"] == []
    assert ways["travel"] == [("apiKey", "query")]
    assert ways["shop"] == [("apiKey", "header")]
    assert ways["calendar"] == [("http", "bearer")]
    assert sum(not schemes for schemes in ways.values()) < len(ways) / 2


def test_no_two_services_share_a_credential():
    names = [scheme for name in SERVICES for scheme in load_service(name).schemes]
    assert len(set(names)) == len(names)


def test_the_folder_can_be_replaced(tmp_path, monkeypatch):
    monkeypatch.setenv("TOOLHAFT_TOOL_SPECS", str(tmp_path))
    with pytest.raises(ConfigError, match="bundled tool specs are missing"):
        document_path("shop")


@pytest.mark.parametrize("service", SERVICES)
def test_the_documents_are_valid_openapi(service):
    openapi_spec_validator.validate(
        read_document(service), cls=openapi_spec_validator.OpenAPIV31SpecValidator
    )


def test_the_documentation_counts_truly():
    """Every service is in the table of the page, with its operations and its credential."""
    root = Path(__file__).resolve().parents[2]
    page = (root / "docs" / "explanation" / "world.md").read_text()
    rows = {
        name: (count, how)
        for name, count, how in re.findall(r"^\| `(\w+)` \| (\d+): [^|]+\| (.+) \|$", page, re.M)
    }
    assert tuple(rows) == SERVICES
    total = 0
    for name, (count, how) in rows.items():
        loaded = load_service(name)
        total += len(loaded.contracts)
        assert int(count) == len(loaded.contracts), name
        (scheme,) = loaded.schemes.values() or [{}]
        ways = {
            "header": f"header `{scheme.get('name')}`",
            "query": f"query parameter `{scheme.get('name')}`",
        }
        assert how == ways.get(scheme.get("in"), "bearer token" if scheme else "none"), name
    assert f"{total} tools" in page
    assert f"twelve services, {total} operations" in (root / "tool_specs" / "README.md").read_text()


def test_the_documentation_names_every_kind_and_trait_of_tasks():
    page = (Path(__file__).resolve().parents[2] / "docs" / "explanation" / "world.md").read_text()
    assert all(f"`{name}`" in page for name in (*KINDS, *TRAITS))

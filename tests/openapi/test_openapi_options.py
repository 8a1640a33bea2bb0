"""What a caller chooses about an import: strictness, overlays, servers of saved tools, and names."""

import copy
import json

import pytest

from toolhaft import open_catalog
from toolhaft.errors import SpecError, UsageError
from toolhaft.openapi.options import CallOptions

DOCUMENT = {
    "openapi": "3.1.0",
    "info": {"title": "Pets", "version": "1"},
    "servers": [{"url": "https://pets.example.com/v1"}],
    "paths": {
        "/pets": {"get": {"operationId": "listPets", "summary": "List the pets"}},
        "/pets/{id}": {
            "get": {
                "operationId": "getPet",
                "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "integer"}}],
            }
        },
    },
}


def broken():
    document = copy.deepcopy(DOCUMENT)
    document["paths"]["/broken"] = {"get": 7}
    document["paths"]["/dangling"] = {
        "post": {
            "requestBody": {
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Gone"}}}
            }
        }
    }
    return document


def test_strict_names_everything_that_is_lost():
    with pytest.raises(SpecError) as caught:
        open_catalog(broken(), strict=True)
    error = caught.value
    assert (error.code, error.exit_code) == ("E-SPEC-STRICT", 1)
    assert [loss.split(":")[0] for loss in error.details["losses"]] == ["skipped", "degraded"]
    assert "GET /broken: #/paths/~1broken/get: the operation is not an object" in error.what
    assert open_catalog(DOCUMENT, strict=True).names == ("listPets", "getPet")
    assert len(open_catalog(broken())) == 3


def test_overlays_are_applied_in_their_order(tmp_path):
    def overlay(summary):
        action = {"target": "$.paths['/pets'].get", "update": {"summary": summary}}
        return {"overlay": "1.0.0", "info": {"title": "Ours", "version": "1"}, "actions": [action]}

    path = tmp_path / "second.json"
    path.write_text(json.dumps(overlay("Second")))
    assert open_catalog(DOCUMENT, overlays=[overlay("First")]).spec("listPets").description == "First"
    assert open_catalog(DOCUMENT, overlays=[overlay("First"), path]).spec("listPets").description == "Second"
    with pytest.raises((UsageError, SpecError)):
        open_catalog(DOCUMENT, overlays=[tmp_path / "nowhere.json"])


def test_tools_of_a_saved_catalog_take_another_server(tmp_path):
    open_catalog(DOCUMENT).save(tmp_path / "pets.catalog")
    pets = open_catalog(tmp_path / "pets.catalog", server="https://stage.example.com:8443/api/")
    assert pets.spec("getPet").hosts == ("https://stage.example.com:8443",)
    assert pets["getPet"].request({"id": 7}).url == "https://stage.example.com:8443/api/pets/7"
    kept = open_catalog(tmp_path / "pets.catalog")
    assert kept["getPet"].request({"id": 7}).url == "https://pets.example.com/v1/pets/7"
    with pytest.raises(UsageError, match="absolute"):
        open_catalog(tmp_path / "pets.catalog", server="/api").spec("getPet")


def test_an_api_key_goes_to_the_server_that_the_caller_chose_alone(tmp_path):
    document = copy.deepcopy(DOCUMENT)
    document["components"] = {"securitySchemes": {"key": {"type": "apiKey", "in": "header", "name": "X-Key"}}}
    document["security"] = [{"key": []}]
    open_catalog(document).save(tmp_path / "pets.catalog")
    pets = open_catalog(
        tmp_path / "pets.catalog", server="https://stage.example.com", auth={"key": "env:PETS_KEY"}
    )
    (credential,) = pets["getPet"].request({"id": 7}).credentials
    assert credential.origins == ("https://stage.example.com:443",)


WRONG = {
    "no page": {"pages": 0},
    "too many pages": {"pages": 10_000},
    "negative wait": {"wait": -1.0},
    "a wait of a day": {"wait": 86_400.0},
    "one text": {"media_types": "application/json"},
}


@pytest.mark.parametrize("case", WRONG, ids=lambda case: case.replace(" ", "-"))
def test_numbers_out_of_their_range(case):
    with pytest.raises(UsageError) as caught:
        CallOptions(**WRONG[case])
    assert caught.value.hint


@pytest.mark.parametrize("lock", [True, "nowhere.lock.json"], ids=["beside", "named"])
def test_a_lock_that_is_asked_for_has_to_be_there(lock):
    with pytest.raises(UsageError):
        open_catalog(DOCUMENT, lock=lock)


@pytest.mark.parametrize("location", ["openapi:", "openapi:/", "openapi:.", "openapi:a\x00b.yaml"])
def test_odd_locations_have_no_lock_and_one_clear_error(location):
    with pytest.raises(UsageError):
        open_catalog(location)

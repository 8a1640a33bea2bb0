"""OpenAPI Overlay documents: what their actions do, and what is said of those that do nothing."""

import copy
import json

import pytest

from toolhaft.errors import FormatError, UsageError
from toolhaft.openapi.documents.load import read_value
from toolhaft.openapi.documents.overlay import apply_overlays

DOCUMENT = {
    "openapi": "3.1.0",
    "info": {"title": "Pets", "version": "1"},
    "paths": {
        "/pets": {
            "get": {"operationId": "listPets", "tags": ["pets"], "x-internal": True, "responses": {}},
            "post": {"operationId": "addPet", "parameters": [{"name": "dry"}, {"name": "run"}]},
        },
        "/old": {"get": {"operationId": "old", "deprecated": True}},
    },
}


def overlaid(*actions):
    before = copy.deepcopy(DOCUMENT)
    given = read_value(before)
    made = apply_overlays(given, [{"overlay": "1.0.0", "info": {}, "actions": list(actions)}])
    assert given.root == DOCUMENT  # what was read stays as it was
    return made


def get(document, *keys):
    node = document.root
    for key in keys:
        node = node[key]
    return node


def test_updates_are_merged():
    made = overlaid(
        {"target": "$.info", "update": {"title": "Shop", "contact": {"name": "A"}}},
        {"target": "$.info", "update": {"contact": {"email": "a@b.example"}}},
        {"target": "$.paths['/pets'].get", "update": {"tags": ["read"], "responses": {"200": {}}}},
        {"target": "$.paths['/pets'].post.parameters", "update": {"name": "more"}},
    )
    assert get(made, "info") == {
        "title": "Shop",
        "version": "1",
        "contact": {"name": "A", "email": "a@b.example"},
    }
    assert get(made, "paths", "/pets", "get", "tags") == ["pets", "read"]
    assert get(made, "paths", "/pets", "get", "responses") == {"200": {}}
    assert [each["name"] for each in get(made, "paths", "/pets", "post", "parameters")] == [
        "dry",
        "run",
        "more",
    ]
    assert made.problems == ()


def test_one_update_for_many_places_is_not_shared_between_them():
    made = overlaid(
        {"target": "$.paths.*.*", "update": {"x-more": {"n": 1}}},
        {"target": "$.paths['/old'].get['x-more']", "update": {"n": 2}},
    )
    assert get(made, "paths", "/pets", "get", "x-more") == {"n": 1}
    assert get(made, "paths", "/old", "get", "x-more") == {"n": 2}


def test_removal_by_filter_and_of_several_items_of_a_list():
    made = overlaid(
        {"target": "$.paths.*.*[?@.name]", "remove": True},
        {"target": "$.paths['/pets'].post.parameters[*]", "remove": True},
        {"target": "$.paths[?@.get.deprecated == true]", "remove": True, "update": {"never": 1}},
        {"target": "$.paths.*[?@['x-internal']]", "remove": True},
    )
    assert get(made, "paths") == {"/pets": {"post": {"operationId": "addPet", "parameters": []}}}


def test_removal_of_a_thing_and_of_what_is_in_it():
    made = overlaid({"target": "$.paths..*", "remove": True})
    assert get(made, "paths") == {}


def test_copies_and_single_values():
    made = overlaid(
        {"target": "$.paths['/old'].get", "copy": "$.paths['/pets'].get"},
        {"target": "$.paths['/old'].get.operationId", "update": "newer"},
    )
    assert get(made, "paths", "/old", "get", "tags") == ["pets"]
    assert get(made, "paths", "/old", "get", "operationId") == "newer"
    assert get(made, "paths", "/pets", "get", "operationId") == "listPets"


@pytest.mark.parametrize(
    ("action", "message"),
    [
        ({"target": "$.paths['/gone']", "remove": True}, "not in the document any more"),
        ({"target": "$.info", "update": 3}, "does not fit 1 of the 1 places"),
        ({"target": "$.info.title", "update": {"a": 1}}, "does not fit 1 of the 1 places"),
        ({"target": "$.info"}, "neither update nor remove"),
        ({"target": "$", "remove": True}, "whole document"),
        ({"target": "$.info", "copy": "$.paths.*"}, "2 times"),
    ],
    ids=str,
)
def test_actions_that_do_nothing_are_noted_with_their_place(action, message):
    made = overlaid({"target": "$.info", "update": {}}, action)
    (problem,) = made.problems
    assert (problem.code, problem.pointer, problem.file) == ("overlay-idle", "/actions/1", "<overlay>")
    assert message in problem.message
    assert made.root == DOCUMENT


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("overlay: 2.0.0\nactions: []", "its version is '2.0.0'"),
        ("openapi: 3.0.0", "there is no `overlay"),
        ("overlay: 1.0.0", "#/actions"),
        ("overlay: 1.0.0\nactions: [{update: {}}]", "has no target"),
        ("overlay: 1.0.0\nactions: [{target: paths}]", "#/actions/0/target"),
        ("overlay: [", "line"),
    ],
    ids=["version", "another thing", "no actions", "no target", "no path", "no yaml"],
)
def test_bad_overlays_are_one_clear_error(text, message, tmp_path):
    path = tmp_path / "overlay.yaml"
    path.write_text(text)
    with pytest.raises(FormatError) as caught:
        apply_overlays(read_value(DOCUMENT), [path])
    assert message in str(caught.value)
    assert str(path) in str(caught.value)


def test_an_overlay_that_is_not_there(tmp_path):
    with pytest.raises(UsageError, match="cannot read the overlay"):
        apply_overlays(read_value(DOCUMENT), [tmp_path / "none.yaml"])


def test_overlays_follow_one_another(tmp_path):
    first = {"overlay": "1.0.0", "actions": [{"target": "$.info", "update": {"summary": "a"}}]}
    second = tmp_path / "second.json"
    second.write_text(
        json.dumps({"overlay": "1.1.0", "actions": [{"target": "$.info.summary", "update": "b"}]})
    )
    assert get(apply_overlays(read_value(DOCUMENT), [first, second]), "info", "summary") == "b"

"""The caller chooses what is imported; what is left out is listed, never lost."""

import pytest

from toolhaft.errors import SpecError, UsageError
from toolhaft.openapi.selection import Filter, Selection, read_selection
from toolhaft.openapi.source import OpenAPISource

PATHS = {
    "/pets": {
        "get": {"operationId": "listPets", "tags": ["Pets"]},
        "post": {"operationId": "addPet", "tags": ["pets", "admin"]},
    },
    "/pets/{id}": {"get": {"operationId": "getPet", "tags": ["pets"], "deprecated": True}},
    "/store/[x]": {"delete": {"tags": ["store"]}},
    "/bad": {"get": 3},
}
ALL = ["listPets", "addPet", "getPet", "delete_store_x"]


@pytest.mark.parametrize(
    ("include", "exclude", "names"),
    [
        ({}, {}, ALL),
        ({"tags": ["PETS"]}, {}, ["listPets", "addPet", "getPet"]),
        ({"tags": "admin"}, {}, ["addPet"]),
        ({"methods": ["get"]}, {}, ["listPets", "getPet"]),
        ({"paths": ["/pets*"]}, {}, ["listPets", "addPet", "getPet"]),
        ({"paths": ["/pets"]}, {}, ["listPets", "addPet"]),
        ({"paths": ["/store/[x]"]}, {}, ["delete_store_x"]),
        ({"operations": ["*Pet"]}, {}, ["addPet", "getPet"]),
        ({"matching": r"^(POST|DELETE) "}, {}, ["addPet", "delete_store_x"]),
        ({"deprecated": True}, {}, ["getPet"]),
        ({"deprecated": False}, {"methods": ["DELETE"]}, ["listPets", "addPet"]),
        ({"tags": ["pets"], "methods": ["GET"]}, {"deprecated": True}, ["listPets"]),
        ({}, {"tags": ["pets"]}, ["delete_store_x"]),
        ({}, {"tags": ["pets"], "methods": ["GET"]}, ["addPet", "delete_store_x"]),
    ],
)
def test_a_choice_is_imported_and_the_rest_is_listed(imported, document, include, exclude, names):
    choice = Filter(include=read_selection(include, "include"), exclude=read_selection(exclude, "exclude"))
    found = imported(document(paths=PATHS), choice=choice)
    assert list(found.plans) == names
    report = found.report
    left = report.mentioned("left out")
    assert len(report.operations) + len(left) == 5
    assert report.skipped <= 1
    assert {mention.pointer for mention in left}.isdisjoint(o.pointer for o in report.operations)


def test_a_choice_renames_nothing(imported, document):
    paths = {"/a": {"get": {"operationId": "same"}}, "/b": {"get": {"operationId": "same"}}}
    whole = imported(document(paths=paths))
    part = imported(document(paths=paths), choice=Filter(include=Selection(paths=["/b"])))
    assert list(part.plans) == list(whole.plans)[1:]


@pytest.mark.parametrize(
    "given",
    [
        {"tag": ["a"]},
        {"tags": 3},
        {"tags": [3]},
        {"deprecated": "yes"},
        {"matching": "("},
        {"matching": ["a"]},
        ["tags"],
        "tags",
    ],
)
def test_a_choice_that_makes_no_sense_is_refused(given):
    with pytest.raises(UsageError) as raised:
        OpenAPISource(include=given)
    assert "include" in str(raised.value)


@pytest.mark.anyio
async def test_a_choice_of_nothing_says_so(document):
    with pytest.raises(SpecError) as raised:
        await OpenAPISource(include={"tags": ["none"]}).load(document(paths=PATHS))
    assert "leaves out all" in str(raised.value)


@pytest.mark.anyio
async def test_names_are_kept_over_imports(document):
    source = OpenAPISource(names={"GET /pets": "pets", "GET /pets/{id}": "not legal"})
    async with await source.load(document(paths=PATHS)) as catalog:
        assert set(catalog.names) == {"pets", *ALL[1:]}


@pytest.mark.parametrize(
    ("version", "item", "names"),
    [
        ("3.2.0", {"query": {}}, ["query_a"]),
        ("3.2.0", {"additionalOperations": {"COPY": {}, "no method": {}}}, ["copy_a"]),
        ("3.1.0", {"x-oai-additionalOperations": {"QUERY": {}}}, ["query_a"]),
        ("3.0.3", {"options": {}, "head": {}, "trace": {}}, ["options_a", "head_a", "trace_a"]),
    ],
)
def test_all_methods_become_tools(imported, document, version, item, names):
    found = imported(document(paths={"/a": item}, version=version))
    assert list(found.plans) == names


def test_what_helps_to_find_a_tool_is_kept(built, document):
    spec, _ = built(
        document(
            {
                "summary": "List",
                "description": "x" * 3000,
                "tags": ["pets", 3],
                "externalDocs": {"url": "https://docs.example.com/list"},
                "deprecated": True,
                "operationId": "thing",
            }
        )
    )
    assert spec.tags == ("pets",)
    assert len(spec.description) <= 1024
    assert spec.description.startswith("Deprecated. List")
    assert spec.metadata["docs"] == "https://docs.example.com/list"
    assert spec.metadata["operation_id"] == "thing"

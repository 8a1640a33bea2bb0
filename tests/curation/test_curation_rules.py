"""Curation of tools in memory: which are kept, what changes of them, and which rules are idle."""

import asyncio

import pytest

from toolhaft.curation.applying import curate
from toolhaft.curation.reading import read_curation
from toolhaft.errors import FormatError, InvalidArgumentsError, UnknownNameError, UsageError
from toolhaft.testing import CannedTool, tool_spec
from toolhaft.tools.catalog import Catalog
from toolhaft.tools.report import OperationReport, Report

PET = {
    "type": "object",
    "properties": {
        "id": {"type": "integer"},
        "status": {"type": "string", "enum": ["free", "sold", "gone"]},
        "limit": {"type": "integer", "maximum": 100, "default": 10},
        "box": {"$ref": "#/$defs/box"},
    },
    "required": ["id", "status"],
    "$defs": {"box": {"type": "object", "properties": {"of": {"$ref": "#/$defs/inner"}}}, "inner": {}},
    "additionalProperties": False,
}
SPECS = {
    "getPet": tool_spec(
        "getPet", parameters=PET, tags=("Pets",), metadata={"method": "GET", "path": "/pets/{id}"}
    ),
    "addPet": tool_spec(
        "addPet",
        effect="write",
        tags=("Pets",),
        metadata={"method": "POST", "path": "/pets", "deprecated": True},
    ),
    "wipe": tool_spec(
        "wipe",
        effect="irreversible",
        tags=("Admin",),
        metadata={"method": "DELETE", "path": "/admin/all/now"},
    ),
    "ping": tool_spec("ping"),
}


def tools(**results):
    return {name: CannedTool(spec, results.get(name)) for name, spec in SPECS.items()}


def catalog(**results):
    return Catalog(tools(**results).values(), name="Pets")


def curated(*rules, **sections):
    return curate(catalog(), {"curation": 1, "rules": list(rules), **sections})


@pytest.mark.parametrize(
    ("match", "names"),
    [
        ("*Pet", ["getPet", "addPet"]),
        ("getPet", ["getPet"]),
        ("get?et", ["getPet"]),
        ("Pet", []),
        ({"name": ["ping", "wipe"]}, ["wipe", "ping"]),
        ({"tag": "pets"}, ["getPet", "addPet"]),
        ({"tag": ["PETS", "admin"]}, ["getPet", "addPet", "wipe"]),
        ({"path": "/pets"}, ["addPet"]),
        ({"path": "/pets/*"}, ["getPet"]),
        ({"path": "/pets/**"}, ["getPet", "addPet"]),
        ({"path": "/admin/*"}, []),
        ({"path": "/admin/**"}, ["wipe"]),
        ({"path": "/**/now"}, ["wipe"]),
        ({"method": "get"}, ["getPet"]),
        ({"method": ["POST", "delete"]}, ["addPet", "wipe"]),
        ({"regex": "^get.* GET /pets/"}, ["getPet"]),
        ({"regex": "admin|ping"}, ["wipe", "ping"]),
        ({"effect": "write"}, ["addPet"]),
        ({"deprecated": True}, ["addPet"]),
        ({"deprecated": False, "tag": "pets"}, ["getPet"]),
        ({"tag": "pets", "method": "delete"}, []),
    ],
    ids=str,
)
def test_which_tools_a_match_means(match, names):
    made = curated({"match": match, "tags": ["hit"]})
    assert [name for name in made if "hit" in made.spec(name).tags] == names
    idle = [problem.code for problem in made.report.problems]
    assert idle == ([] if names else ["curation-idle"])


def test_select_and_exclude():
    assert curated(select=[{"tag": "pets"}]).names == ("getPet", "addPet")
    assert curated(exclude=["wipe", {"method": "post"}]).names == ("getPet", "ping")
    assert curated(select=[{"tag": "pets"}, "ping"], exclude=["addPet"]).names == ("getPet", "ping")
    with pytest.raises(UsageError, match="leaves no tool"):
        curated(select=["nothing"])


def test_what_is_left_out_stays_in_the_report():
    operations = tuple(
        OperationReport(method=method, path=path, name=name, pointer=f"/paths/{name}")
        for name, method, path in (("getPet", "GET", "/pets/{id}"), ("wipe", "DELETE", "/admin/all/now"))
    )
    found = Catalog(tools().values(), report=Report(title="Pets", operations=operations))
    made = curate(
        found, {"curation": 1, "exclude": ["wipe"], "rules": [{"match": "getPet", "rename": "pet"}]}
    )
    assert [(each.name, each.path) for each in made.report.operations] == [("pet", "/pets/{id}")]
    assert [(each.kind, each.pointer) for each in made.report.mentions] == [("left out", "/paths/wipe")]
    assert found.report.operations == operations


def test_names_and_descriptions():
    made = curated(
        {"match": {"tag": "pets"}, "rename": "shop_{name}", "describe": "Pets: {description}"},
        {"match": "ping", "describe": "Is it there?"},
    )
    assert made.names == ("shop_getPet", "shop_addPet", "wipe", "ping")
    assert made.spec("shop_getPet").description == "Pets: Weather forecast for a city."
    assert made.spec("ping").description == "Is it there?"
    with pytest.raises(UnknownNameError):
        made["getPet"]


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        ([{"match": "*Pet", "rename": "pet"}], "both be named 'pet'"),
        ([{"match": "getPet", "rename": "ping"}], "both be named 'ping'"),
        ([{"match": "ping", "rename": "a b"}], "no tool name"),
        ([{"match": "ping", "rename": "x" * 65}], "no tool name"),
    ],
)
def test_names_that_cannot_be(rules, message):
    with pytest.raises(UsageError, match=message):
        curated(*rules)


def test_arguments_are_renamed_fixed_hidden_and_go_back():
    inner = CannedTool(SPECS["getPet"], {"ok": True})
    rule = {
        "match": "getPet",
        "arguments": {
            "id": {"rename": "pet_id", "describe": "Number of the pet."},
            "status": {"default": "free", "choices": ["free", "sold"]},
            "limit": {"fix": 50},
            "box": {"hide": True},
        },
    }
    made = curate(Catalog([inner]), {"curation": 1, "rules": [rule]})
    assert made.report.problems == ()
    assert made.spec("getPet").parameters == {
        "type": "object",
        "properties": {
            "pet_id": {"type": "integer", "description": "Number of the pet."},
            "status": {"type": "string", "enum": ["free", "sold"], "default": "free"},
        },
        "required": ["pet_id"],
        "additionalProperties": False,
    }
    assert made.call_sync("getPet", pet_id=3) == {"ok": True}
    assert made.call_sync("getPet", pet_id=4, status="sold") == {"ok": True}
    assert inner.calls == [
        {"id": 3, "status": "free", "limit": 50},
        {"id": 4, "status": "sold", "limit": 50},
    ]


@pytest.mark.parametrize("given", [{"id": 1}, {"pet_id": 1, "limit": 9}, {"pet_id": 1, "box": {}}])
def test_what_the_model_may_not_give_is_refused_even_by_an_open_schema(given):
    spec = tool_spec("getPet", parameters={**PET, "additionalProperties": True})
    rule = {
        "match": "*",
        "arguments": {"id": {"rename": "pet_id"}, "limit": {"fix": 1}, "box": {"hide": True}},
    }
    made = curate(Catalog([CannedTool(spec)]), {"curation": 1, "rules": [rule]})
    with pytest.raises(InvalidArgumentsError):
        made.call_sync("getPet", status="free", **given)
    with pytest.raises(InvalidArgumentsError):
        made["getPet"].request({"status": "free", **given})


@pytest.mark.parametrize(
    ("argument", "change", "message"),
    [
        ("colour", {"hide": True}, "there is no argument 'colour'"),
        ("id", {"hide": True}, "is required, and cannot be hidden"),
        ("limit", {"fix": 500}, "does not take 500, its fixed value"),
        ("limit", {"default": "many"}, "does not take 'many', its default"),
        ("status", {"choices": ["free", "lost"]}, "does not take 'lost', its choice"),
        ("status", {"required": False}, "it needs a default"),
        ("status", {"rename": "id"}, "there is an argument 'id' already"),
        ("status", {"rename": "the status"}, "is no name of an argument"),
    ],
    ids=str,
)
def test_changes_that_cannot_be_made_are_said_with_their_place(argument, change, message):
    made = curated({"match": "ping", "tags": ["x"]}, {"match": "getPet", "arguments": {argument: change}})
    (problem,) = made.report.problems
    assert problem.code == "curation-refused"
    assert message in problem.message
    assert problem.pointer == "/rules/1/arguments"


def test_of_two_rules_the_later_counts_and_the_rest_of_the_earlier_stays():
    made = curated(
        {"match": "*", "timeout": 5, "effect": "write", "arguments": {"limit": {"fix": 3}}, "tags": ["a"]},
        {"match": "getPet", "effect": "read", "arguments": {"id": {"describe": "Which."}}, "tags": ["b"]},
    )
    spec = made.spec("getPet")
    assert (spec.effect, spec.timeout, spec.tags) == ("read", 5, ("Pets", "a", "b"))
    assert "limit" not in spec.properties
    assert spec.properties["id"]["description"] == "Which."
    assert made.spec("ping").effect == "write"


def test_the_rest_of_a_spec():
    made = curated(
        {
            "match": "addPet",
            "effect": "irreversible",
            "repeatable": True,
            "private": True,
            "concurrency": 2,
            "inverse": "wipe",
            "examples": [{"city": "Oslo"}],
        }
    )
    spec = made.spec("addPet")
    assert (spec.effect, spec.repeatable, spec.private, spec.concurrency) == ("irreversible", True, True, 2)
    assert (spec.inverse, spec.examples) == ("wipe", ({"city": "Oslo"},))


def test_examples_of_the_document_follow_the_names():
    spec = tool_spec("getPet", parameters=PET, examples=({"id": 1, "status": "free", "limit": 5},))
    rule = {"match": "*", "arguments": {"id": {"rename": "pet"}, "limit": {"fix": 5}}}
    made = curate(Catalog([CannedTool(spec)]), {"curation": 1, "rules": [rule]})
    assert made.spec("getPet").examples == ({"status": "free", "pet": 1},)


ANSWER = {"items": [{"id": 1, "name": "Rex", "x": [1]}, {"id": 2, "name": "Tom"}], "next": "c2", "total": 2}


@pytest.mark.parametrize(
    ("result", "value"),
    [
        ("$.total", 2),
        ("$.nothing", None),
        ("$.items[*].name", ["Rex", "Tom"]),
        ("$.items[?@.id > 1]", [{"id": 2, "name": "Tom"}]),
        ("$.items[?match(@.name, 'T.m')].id", [2]),
        ("$.items[?search(@.name, '(a+)+$')].id", []),
        (["$.items[*].name", "$.next"], {"items": [{"name": "Rex"}, {"name": "Tom"}], "next": "c2"}),
        (["$.items[1]", "$.items[0].id"], {"items": [{"id": 1}, {"id": 2, "name": "Tom"}]}),
        (["$.items[0].x", "$.items[0]"], {"items": [{"id": 1, "name": "Rex", "x": [1]}]}),
        (["$.items[0]", "$.items[0].x"], {"items": [{"id": 1, "name": "Rex", "x": [1]}]}),
        (["$.nothing"], None),
        (["$"], ANSWER),
    ],
    ids=str,
)
def test_results_are_projected(result, value):
    made = curate(
        Catalog([CannedTool(SPECS["ping"], ANSWER)]),
        {"curation": 1, "rules": [{"match": "ping", "result": result}]},
    )
    assert made.call_sync("ping", city="Oslo") == value
    assert made.spec("ping").returns is None


def test_a_result_that_is_text_is_left_alone():
    made = curate(
        Catalog([CannedTool(SPECS["ping"], "pong")]),
        {"curation": 1, "rules": [{"match": "ping", "result": "$.a"}]},
    )
    assert made.call_sync("ping", city="Oslo") == "pong"


@pytest.mark.anyio
async def test_no_more_calls_than_the_rate_allows_begin_in_a_window():
    begun = []

    class Clock(CannedTool):
        async def call(self, arguments, context):
            begun.append(asyncio.get_running_loop().time())
            return None

    rule = {"match": "ping", "rate": {"calls": 3, "seconds": 0.2}}
    made = curate(Catalog([Clock(SPECS["ping"])]), {"curation": 1, "rules": [rule]})
    await asyncio.gather(*(made.call("ping", city="Oslo") for _ in range(9)))
    begun.sort()
    assert all(later - earlier > 0.19 for earlier, later in zip(begun, begun[3:], strict=False))


BAD = {
    "no mapping": ("- a", "no curation"),
    "no version": ("rules: []", "no `curation: 1`"),
    "another version": ("curation: 2", "#/curation"),
    "unknown section": ("curation: 1\nrule: []", "#/rule"),
    "unknown field": ("curation: 1\nrules:\n- match: a\n  renam: b", "#/rules/0/renam"),
    "unknown match": ("curation: 1\nrules:\n- match: {tags: b}", "#/rules/0/match"),
    "no match": ("curation: 1\nrules:\n- rename: b", "#/rules/0/match"),
    "empty match": ("curation: 1\nrules:\n- match: {}", "#/rules/0/match"),
    "empty select": ("curation: 1\nselect: [{}]", "#/select/0"),
    "bad regex": ("curation: 1\nexclude: [{regex: '('}]", "#/exclude/0/regex"),
    "bad path": ("curation: 1\nrules:\n- match: a\n  result: items", "#/rules/0/result"),
    "bad effect": ("curation: 1\nrules:\n- match: a\n  effect: none", "#/rules/0/effect"),
    "rate of nothing": ("curation: 1\nrules:\n- match: a\n  rate: {calls: 0}", "#/rules/0/rate"),
    "no time": ("curation: 1\nrules:\n- match: a\n  timeout: 0", "#/rules/0/timeout"),
    "no places": ("curation: 1\nrules:\n- match: a\n  concurrency: 0", "#/rules/0/concurrency"),
    "key twice": ("curation: 1\nrules:\n- match: a\n  rename: b\n  rename: c", "rename"),
    "python tag": ("curation: 1\nrules: !!python/object:os.system {}", "line 2"),
    "not yaml": ("curation: 1\nrules: [", "line"),
    "deep": (f"curation: 1\nrules: {'[' * 200}{']' * 200}", "nested"),
    "not utf-8": (b"curation: 1\n# \xff", "not UTF-8"),
    "large": (b"#" * 5_000_001, "larger than"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_files_are_one_clear_error(name, tmp_path):
    text, message = BAD[name]
    path = tmp_path / "pets.curation.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(FormatError) as caught:
        read_curation(path)
    assert message in str(caught.value)
    assert str(path) in str(caught.value)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(UsageError, match="cannot read the curation"):
        curate(catalog(), tmp_path / "none.yaml")


@pytest.mark.parametrize(
    ("describe", "begins", "ends"),
    [
        ("{description} Makes a server bigger.", "long long", "… Makes a server bigger."),
        ("Makes a server bigger. {description}", "Makes a server bigger. long", "…"),
        ("{description} or {description} end", "long", "… end"),
        ("x" * 2000 + " {description}", "xxx", "xxx"),
    ],
)
def test_what_a_rule_adds_to_a_long_description_is_kept(describe, begins, ends):
    spec = tool_spec("long", description="long " * 250)
    rules = {"curation": 1, "rules": [{"match": "long", "describe": describe}]}
    made = curate(Catalog([CannedTool(spec, None)], name="Long"), rules).spec("long").description
    assert made.startswith(begins)
    assert made.endswith(ends)
    assert len(made) <= 1024

"""Tools kept to a size: what goes first, what never goes, and what the report says of it."""

import json

import jsonschema_rs
import pytest

from toolhaft.openapi.documents.load import read_path
from toolhaft.openapi.importing import import_document
from toolhaft.openapi.options import ImportOptions
from toolhaft.openapi.schemas.fitting import Fitter, SizeLimits
from toolhaft.openapi.schemas.shortening import first_sentences
from toolhaft.tools.profiles import accepts


def size(value):
    return len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())


def ref(name):
    return {"$ref": f"#/components/schemas/{name}"}


def many(n, **more):
    return {"type": "object", "properties": {f"property_{i}": {"type": "string"} for i in range(n)} | more}


@pytest.fixture
def large(document):
    """A document whose one body is a chain of large definitions, one of them required."""
    schemas = {
        "Top": {**many(20, needed=ref("Needed"), other=ref("Other0")), "required": ["needed"]},
        "Needed": {**many(20), "required": ["property_0"]},
        **{f"Other{i}": many(80, inner=ref(f"Other{i + 1}")) for i in range(30)},
        "Other30": many(1),
    }
    operation = {"requestBody": {"required": True, "content": {"application/json": {"schema": ref("Top")}}}}
    return document(operation, method="post", components={"schemas": schemas})


def test_a_large_tool_loses_its_deepest_optional_parts(imported, large):
    found = imported(large)
    spec, _ = found.build("thing")
    assert size(spec.parameters) <= 32_000
    assert set(spec.parameters["properties"]) == {f"property_{i}" for i in range(20)} | {"needed", "other"}
    assert spec.parameters["required"] == ["needed"]
    definitions = spec.parameters["$defs"]
    assert definitions["Needed"]["required"] == ["property_0"]
    kept = sorted(int(name[5:]) for name in definitions if name.startswith("Other"))
    assert kept == list(range(len(kept)))
    assert 0 < len(kept) < 30
    last = definitions[f"Other{kept[-1]}"]["properties"]["inner"]
    assert last == {"type": "object"}


def test_the_report_names_what_was_cut_without_building_every_tool(imported, large):
    (entry,) = imported(large).report.operations
    assert entry.outcome == "degraded"
    pointers = [problem.pointer for problem in entry.problems if problem.code == "schema-cut"]
    assert "/components/schemas/Other29" in pointers


def test_a_larger_size_keeps_everything(imported, large):
    found = imported(large, sizes=SizeLimits(largest=200_000))
    assert found.report.imported == 1
    assert "Other30" in found.build("thing")[0].parameters["$defs"]


def test_any_value_is_taken_where_something_was_cut(imported, large):
    spec, _ = imported(large).build("thing")
    arguments = {"needed": {"property_0": "a"}}
    for _ in range(29):
        arguments = {"needed": {"property_0": "a"}, "other": {"inner": arguments.get("other", {"odd": 5})}}
    assert jsonschema_rs.is_valid(spec.parameters, arguments)
    assert not jsonschema_rs.is_valid(spec.parameters, {"needed": {}})


def test_a_cut_is_the_same_whatever_was_built_before(imported, large):
    other = json.loads(json.dumps(large))
    other["paths"]["/others"] = {"post": {**large["paths"]["/things"]["post"], "operationId": "other"}}
    found = imported(other)
    found.build("other")
    assert found.build("thing")[0].parameters == imported(large).build("thing")[0].parameters


def test_importing_stays_quick_where_everything_reaches_everything(imported, document):
    n = 200
    schemas = {
        f"S{i}": {
            "type": "object",
            "properties": {f"p{j}": ref(f"S{(i * 7 + j * 13 + 1) % n}") for j in range(6)},
        }
        for i in range(n)
    }
    paths = {
        f"/things/{i}": {
            "post": {
                "requestBody": {"content": {"application/json": {"schema": ref(f"S{i}")}}},
                "responses": {},
            }
        }
        for i in range(n)
    }
    found = imported(document(paths=paths, components={"schemas": schemas}))
    assert found.report.degraded == n
    assert all(one.problems[-1].code == "schema-cut" for one in found.report.operations)


def test_texts_go_before_structure():
    text = "A first sentence that says it. " + "More words. " * 60
    schema = {
        "type": "object",
        "properties": {f"p{i}": {"type": "object", "description": text, "properties": {
            f"q{j}": {"type": "string", "description": text, "examples": ["a" * 100]} for j in range(10)
        }} for i in range(3)},
    }  # fmt: skip
    fitted = Fitter(SizeLimits(largest=10_000, ample=2_000)).fit(schema)
    assert fitted.cuts == ()
    inner = fitted.schema["properties"]["p0"]["properties"]["q0"]
    assert inner["description"].startswith("A first sentence that says it.")
    assert len(inner["description"]) <= 160
    assert "examples" not in inner
    assert size(fitted.schema) <= 10_000


def test_a_tool_of_ample_size_is_left_alone():
    schema = {"type": "object", "properties": {"a": {"type": "string", "examples": ["b"]}}}
    assert Fitter().fit(schema).schema is schema


def test_names_of_properties_stay_where_only_their_details_have_no_room():
    wide = {"type": "object", "properties": {f"property_{i}": {"type": "string", "description": "x" * 60}
                                             for i in range(400)}}  # fmt: skip
    fitted = Fitter(SizeLimits(largest=24_000, ample=2_000)).fit(
        {"type": "object", "properties": {"body": wide}, "required": ["body"]}
    )
    assert len(fitted.schema["properties"]["body"]["properties"]) == 400
    assert size(fitted.schema) <= 24_000


def test_an_inlined_giant_is_no_trouble():
    node = {"type": "object", "properties": {"leaf": {"type": "string"}}}
    for _ in range(9):
        node = {"type": "object", "properties": {"a": node, "b": node, "note": {"type": "string"}}}
    fitted = Fitter().fit({"type": "object", "properties": {"value": node}})
    assert fitted.cuts
    assert size(fitted.schema) <= 32_000
    assert {"a", "b", "note"} == set(fitted.schema["properties"]["value"]["properties"])


@pytest.mark.parametrize(
    ("text", "longest", "made"),
    [
        ("Short.", 20, "Short."),
        ("One sentence. Another one.", 20, "One sentence."),
        ("No end of a sentence in sight here", 20, "No end of a sentenc…"),
    ],
)
def test_a_text_ends_with_a_sentence(text, longest, made):
    assert first_sentences(text, longest) == made


@pytest.mark.slow
def test_tools_of_real_documents_are_taken_and_small(corpus, shared):
    folder = shared / "openapi"
    sizes, refused, expected = [], [], 0
    for row in corpus.rows_of(folder, "valid"):
        if ".tar" in row["file"]:
            continue
        expected += row["operations"]
        found = import_document(read_path(folder / row["file"]), ImportOptions())
        cut = {
            one.name for one in found.report.operations if any(p.code == "schema-cut" for p in one.problems)
        }
        whole = (
            import_document(
                read_path(folder / row["file"]), ImportOptions(sizes=SizeLimits(largest=10**9, ample=10**9))
            )
            if cut
            else None
        )
        for name in found.plans:
            spec, _ = found.build(name)
            tool = {"name": spec.name, "description": spec.description, "parameters": spec.parameters}
            sizes.append(size(tool))
            if any(accepts(spec.parameters, profile) for profile in ("openai", "anthropic")):
                refused.append((row["name"], name))
            if name in cut:
                full = whole.build(name)[0].parameters
                assert spec.parameters["properties"].keys() == full["properties"].keys()
                assert spec.parameters.get("required") == full.get("required")
    assert (len(sizes) - len(refused)) / expected >= 0.995, refused[:5]
    assert max(sizes) <= 32_000
    assert sum(sizes) / len(sizes) <= 2_500

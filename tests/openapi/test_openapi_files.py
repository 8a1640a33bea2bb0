"""Descriptions of several files: what is read, what never is, and what a reference means."""

import json
import os

import pytest

from toolhaft.errors import SpecError, UsageError
from toolhaft.openapi.documents.document import Limits
from toolhaft.openapi.documents.load import read_path, read_value
from toolhaft.openapi.documents.places import Folder
from toolhaft.openapi.documents.resolve import BrokenReferenceError, Resolver
from toolhaft.openapi.importing import import_document
from toolhaft.openapi.options import ImportOptions

HEAD = 'openapi: {version}\ninfo: {{title: T, version: "1"}}\nservers: [{{url: "https://api.example.com"}}]\n'
GOOD = "  /good: {get: {operationId: good, responses: {}}}\n"


@pytest.fixture
def spread(tmp_path):
    """Write files, and import the root; a file's text may be YAML, JSON values or bytes."""

    def run(root, version="3.0.3", folder="api", limits=None, outside=None, **files):
        base = tmp_path / folder
        base.mkdir(parents=True, exist_ok=True)
        for name, content in (files.get("files") or {}).items():
            path = base / name
            path.parent.mkdir(parents=True, exist_ok=True)
            data = content if isinstance(content, str | bytes) else json.dumps(content)
            path.write_bytes(data if isinstance(data, bytes) else data.encode())
        main = base / "root.yaml"
        main.write_text(HEAD.format(version=version) + "paths:\n" + GOOD + root)
        document = read_path(main, limits or Limits(), outside)
        return document, import_document(document, ImportOptions())

    return run


def parameters_of(found, name):
    spec, _ = found.build(name)
    return spec.parameters["properties"]


def resolver_of(document):
    return Resolver(document.root, document.files, document.unread)


BODY = "  /r: {{post: {{operationId: r, requestBody: {{content: {{application/json: {{schema: {0}}}}}}}}}}}\n"
PET = {"type": "object", "properties": {"name": {"type": "string"}, "friend": {"$ref": "#"}}}


@pytest.mark.parametrize(
    ("reference", "files"),
    [
        ("pet.json", {"pet.json": PET}),
        ("./pet.json", {"pet.json": PET}),
        ("./pet.json#", {"pet.json": PET}),
        ("pet.json#/", {"pet.json": {"": PET}}),
        ("schemas/pet.json", {"schemas/pet.json": PET}),
        ("schemas/../pet.json", {"pet.json": PET}),
        ("all.json#/definitions/Pet", {"all.json": {"definitions": {"Pet": PET}}}),
        ("all.yaml#/a~1b/c~0d", {"all.yaml": {"a/b": {"c~d": PET}}}),
        ("all.yaml#/a%20b", {"all.yaml": {"a b": PET}}),
        ("my%20pet.json", {"my pet.json": PET}),
        ("100%25.json", {"100%.json": PET}),
        ("a%23b.json", {"a#b.json": PET}),
        (
            "one.yaml",
            {
                "one.yaml": "$ref: deep/two.json#/x",
                "deep/two.json": {"x": {"$ref": "../pet.yaml"}},
                "pet.yaml": PET,
            },
        ),
        ("one.yaml", {"one.yaml": "$ref: root.yaml#/x-types/Pet\n"}),
        (
            "through.json#/a/name2",
            {"through.json": {"a": {"$ref": "b.json#/m"}}, "b.json": {"m": {"name2": PET}}},
        ),
        ("anchored.yaml#here", {"anchored.yaml": {"x": {**PET, "$anchor": "here"}}}),
        (
            "latin.yaml",
            {
                "latin.yaml": "type: object\nproperties: {name: {type: string, description: caf\xe9}}".encode(
                    "cp1252"
                )
            },
        ),
        ("wide.json", {"wide.json": json.dumps(PET).encode("utf-16")}),
        ("pet", {"pet": PET}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_schema_in_another_file(spread, reference, files):
    more = "x-types: {Pet: {type: object, properties: {name: {type: string}}}}\n"
    document, found = spread(BODY.format(json.dumps({"$ref": reference})) + more, files=files)
    assert [operation.outcome for operation in found.report.operations] == ["imported", "imported"]
    assert document.unread == {}
    assert parameters_of(found, "r")["name"]["type"] == "string"


def test_whole_paths_operations_parameters_and_texts_behind_references(spread):
    root = """\
  /a: {$ref: items/a.yaml}
  /b: {get: {$ref: "ops.json#/b"}, parameters: [{$ref: "parameters.yaml#/limit"}]}
  /c: {post: {operationId: c, summary: {$ref: intro.md}, requestBody: {$ref: "parts.json#/body"}}}
"""
    document, found = spread(
        root,
        files={
            "items/a.yaml": "get:\n  operationId: a\n  parameters:\n  - $ref: ../parameters.yaml#/limit\n"
            "post: {$ref: ../ops.json#/post}\n",
            "ops.json": {
                "b": {"operationId": "b"},
                "post": {"operationId": "a_post", "requestBody": {"$ref": "parts.json#/body"}},
            },
            "parameters.yaml": "limit: {name: limit, in: query, schema: {$ref: 'types.json#/Count'}}\n",
            "types.json": {"Count": {"type": "integer"}},
            "parts.json": {
                "body": {"content": {"application/json": {"schema": {"properties": {"$ref": "props.yaml"}}}}}
            },
            "props.yaml": "color: {type: string}\ndefault: {type: boolean}\n"
            "example: {$ref: 'types.json#/Count'}\n",
            "intro.md": "# Make a c: now\nAt once.",
        },
    )
    assert list(found.plans) == ["good", "a", "a_post", "b", "c"]
    assert {operation.outcome for operation in found.report.operations} == {"imported"}
    assert parameters_of(found, "a") == parameters_of(found, "b")
    assert parameters_of(found, "a")["limit"]["type"] == "integer"
    for name in ("c", "a_post"):
        kinds = {key: value["type"] for key, value in parameters_of(found, name).items()}
        assert kinds == {"color": "string", "default": "boolean", "example": "integer"}
    assert found.build("c")[0].description.startswith("# Make a c: now")
    assert len(document.files) == 7


def test_circles_between_files_end(spread):
    files = {
        "a.yaml": "type: object\n"
        "properties: {b: {$ref: b.yaml}, up: {$ref: 'root.yaml#/components/schemas/R'}}\n",
        "b.yaml": "type: object\nproperties: {a: {$ref: a.yaml}, b: {$ref: '#'}}\n",
        "loop.yaml": "$ref: loop2.yaml\n",
        "loop2.yaml": "$ref: loop.yaml\n",
    }
    root = (
        BODY.format('{"$ref": "a.yaml"}')
        + "components: {schemas: {R: {$ref: a.yaml}, L: {$ref: loop.yaml}}}\n"
    )
    document, found = spread(root, files=files)
    spec, _ = found.build("r")
    text = json.dumps(spec.parameters)
    assert len(text) < 3000
    for name in json.loads(text)["$defs"]:
        assert text.count(f'"#/$defs/{name}"') >= 1
    with pytest.raises(BrokenReferenceError) as raised:
        resolver_of(document).follow({"$ref": "loop.yaml#"}, "")
    assert raised.value.kind == "loop"


def test_what_is_at_a_pointer_of_another_file(spread):
    document, _ = spread(
        BODY.format('{"$ref": "a%20b.yaml#/x~1y"}'), files={"a b.yaml": {"x/y": {"type": "object"}}}
    )
    resolver = resolver_of(document)
    value, pointer = resolver.find("a b.yaml#/x~1y")
    assert pointer == "a b.yaml#/x~1y"
    assert resolver.at(pointer) is value
    assert resolver.at("/paths/~1good/get") == {"operationId": "good", "responses": {}}


def test_each_file_is_parsed_once_and_only_if_it_is_reached(spread, monkeypatch):
    from toolhaft.openapi.documents import beside

    seen = []
    original = beside.parse_beside
    monkeypatch.setattr(
        beside, "parse_beside", lambda data, name, limits: seen.append(name) or original(data, name, limits)
    )
    files = {"pet.json": PET, "unused.json": PET, "sample.json": {}, "code.yaml": {}}
    root = "".join(BODY.replace("/r:", f"/r{n}:").format('{"$ref": "pet.json"}') for n in range(5))
    root = root.replace("operationId: r,", "")
    root += (
        "  /x: {get: {x-code: [{$ref: code.yaml}], parameters: [{name: a, in: query, "
        "examples: {a: {$ref: sample.json}}, example: {$ref: sample.json}}]}}\n"
    )
    spread(root, files=files)
    assert seen == ["pet.json"]


ESCAPES = [
    "../secret.yaml",
    "sub/../../secret.yaml",
    "%2e%2e/secret.yaml",
    "..%2fsecret.yaml",
    "%2e%2e%2fsecret.yaml",
    "{base}/secret.yaml",
    "file://{base}/secret.yaml",
    "file:../secret.yaml",
    "FILE:///etc/passwd",
    "//localhost/secret.yaml",
    "\\\\host\\share\\secret.yaml",
    "..\\secret.yaml",
    "%5c%5chost%5cshare",
    "C:\\secret.yaml",
    "data:application/json,%7B%22type%22:%22string%22%7D",
    "javascript:alert(1)",
    "http://127.0.0.1:9/a.yaml",
    "http://169.254.169.254/latest/meta-data",
    "https://example.com/a.yaml",
    "ftp://example.com/a.yaml",
    "link.yaml",
    "linked/secret.yaml",
    "%00",
    "http://[::1",
]


@pytest.mark.parametrize("written", ESCAPES, ids=range(len(ESCAPES)))
def test_nothing_outside_the_folder_is_read(spread, tmp_path, monkeypatch, written):
    (tmp_path / "secret.yaml").write_text("type: object\nproperties: {leaked: {}}\n")
    (tmp_path / "api").mkdir()
    (tmp_path / "api/link.yaml").symlink_to(tmp_path / "secret.yaml")
    (tmp_path / "api/linked").symlink_to(tmp_path)
    opened = []
    original = os.open
    monkeypatch.setattr(
        os, "open", lambda path, *rest, **named: opened.append(str(path)) or original(path, *rest, **named)
    )
    reference = written.format(base=tmp_path) if "{base}" in written else written
    document, found = spread(BODY.format(json.dumps({"$ref": reference + "#/x"})), files={})
    assert opened == []
    assert document.files == {}
    bad = found.report.operations[1]
    assert bad.outcome == "skipped"
    assert bad.problems[-1].code == "reference-external"
    assert list(found.plans) == ["good"]


def test_a_wider_folder_may_be_given_and_is_a_bound_all_the_same(spread, tmp_path):
    files = {
        "../common/pet.yaml": "type: object\n"
        "properties: {name: {$ref: ../../outside.yaml}, kind: {$ref: 'kind.yaml'}}\n",
        "../common/kind.yaml": "{type: string}",
    }
    (tmp_path / "outside.yaml").write_text("type: string\n")
    root = BODY.format('{"$ref": "../common/pet.yaml"}')
    closed, found = spread(root, folder="all/api", files=files)
    assert closed.files == {}
    assert found.report.operations[1].outcome == "skipped"
    wider, found = spread(root, folder="all/api", files=files, outside=tmp_path / "all")
    assert set(wider.files) == {"../common/pet.yaml", "../common/kind.yaml"}
    assert parameters_of(found, "r")["kind"]["type"] == "string"
    assert found.report.operations[1].outcome == "degraded"
    with pytest.raises(UsageError, match="does not lie in the folder"):
        spread(root, folder="all/api", outside=tmp_path / "other")


def test_links_inside_the_folder_are_one_file(spread, tmp_path):
    (tmp_path / "api").mkdir()
    (tmp_path / "api/alias.json").symlink_to(tmp_path / "api/pet.json")
    (tmp_path / "api/me.yaml").symlink_to(tmp_path / "api/root.yaml")
    root = BODY.format('{"allOf": [{"$ref": "alias.json"}, {"$ref": "pet.json"}, {"$ref": "me.yaml#/x-t"}]}')
    document, _ = spread(root + "x-t: {type: object}\n", files={"pet.json": PET})
    assert set(document.files) == {"pet.json"}


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "No such file"),
        (b"", "empty"),
        (b"a: [", "not YAML"),
        (b"<!doctype html><html>", "HTML"),
        (b"\x00\x01", "control character"),
        (b"a: !!python/object/apply:os.system [id]", "not plain data"),
        (b"[" * 600, "deeper"),
        (b'{"a": 1', "not JSON"),
        (b"\x1f\x8b\x08\x00", "gzip"),
        ("pipe", "no plain file"),
        ("folder", "no plain file"),
    ],
    ids=lambda value: str(value)[:12],
)
def test_a_broken_file_costs_only_what_needs_it(spread, tmp_path, content, says):
    (tmp_path / "api").mkdir()
    if content == "pipe":
        os.mkfifo(tmp_path / "api/x.yaml")
    elif content == "folder":
        (tmp_path / "api/x.yaml").mkdir()
    files = {"x.yaml": content} if isinstance(content, bytes) else {}
    root = BODY.format('{"properties": {"a": {"$ref": "x.yaml#/A"}}}')
    document, found = spread(root + "  /p: {$ref: 'x.yaml#/item'}\n", files=files)
    assert says in document.unread["x.yaml"]
    (problem,) = [problem for problem in found.report.problems if problem.code == "file-unread"]
    assert problem.file == "x.yaml"
    assert [operation.outcome for operation in found.report.operations] == ["imported", "degraded"]
    assert says in found.report.operations[1].reasons[0]
    assert any(p.pointer == "/paths/~1p" and p.severity == "skipped" for p in found.report.problems)


def test_files_are_counted_and_their_bytes_too(spread):
    files = {
        f"f{n}.json": {"type": "object", "properties": {f"p{n}": {"$ref": f"f{n + 1}.json"}}}
        for n in range(30)
    }
    root = BODY.format('{"$ref": "f0.json"}')
    document, found = spread(root, files=files, limits=Limits(files=10))
    assert len(document.files) == 10
    assert "more than 10 files" in document.unread["f10.json"]
    assert found.report.operations[1].outcome == "degraded"
    document, _ = spread(root, files={**files, "f3.json": {"x": "y" * 5000}}, limits=Limits(max_bytes=4000))
    assert "larger than" in document.unread["f3.json"]


def test_a_document_without_a_folder_reads_no_file():
    value = {"openapi": "3.0.0", "paths": {"/a": {"get": {"parameters": [{"$ref": "p.yaml#/x"}]}}}}
    found = import_document(read_value(value), ImportOptions())
    assert found.report.operations[0].outcome == "skipped"
    assert value["paths"]["/a"]["get"]["parameters"] == [{"$ref": "p.yaml#/x"}]


def test_a_file_that_becomes_a_link_after_it_was_judged_is_not_read(tmp_path):
    (tmp_path / "secret.json").write_text("{}")
    (tmp_path / "api").mkdir()
    document = tmp_path / "api" / "openapi.json"
    document.write_text("{}")
    part = document.with_name("part.json")
    part.write_text("{}")
    folder = Folder(document)
    assert folder.read(folder.name("part.json", ""), 100) == b"{}"
    part.unlink()
    part.symlink_to(tmp_path / "secret.json")
    with pytest.raises(SpecError, match="cannot be read"):
        folder.read("part.json", 100)

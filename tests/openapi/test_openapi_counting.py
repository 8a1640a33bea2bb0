"""Every operation is counted: the report against a count that shares no code with the importer."""

import gzip
import json
import tarfile
from pathlib import Path
from urllib.parse import unquote

import pytest

from toolhaft.openapi.documents.load import read_path, read_value
from toolhaft.openapi.importing import import_document
from toolhaft.openapi.options import ImportOptions

VERBS = {"get", "put", "post", "delete", "options", "head", "patch", "trace", "query"}


class Counter:
    """Counts operations by reading files plainly: text to values, references by hand."""

    def __init__(self, path):
        self.path = Path(path).resolve()
        self.files = {}

    def read(self, path):
        """Return a file's value; YAML scalars stay text, for only keys matter here."""
        if path not in self.files:
            data = path.read_bytes()
            data = gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data
            wide = data[:2] in (b"\xff\xfe", b"\xfe\xff")
            for encoding in ("utf-16",) if wide else ("utf-8-sig", "cp1252"):
                try:
                    text = data.decode(encoding)
                    break
                except UnicodeDecodeError:
                    continue
            if text.lstrip()[:1] in ("{", "["):
                self.files[path] = json.loads(text, strict=False)
            else:
                import yaml

                self.files[path] = next(yaml.load_all(text, yaml.CBaseLoader))
        return self.files[path]

    def behind(self, reference, path, steps=0):
        """Return value and file behind a reference, or None where it cannot be followed."""
        location, _, fragment = reference.partition("#")
        if "://" in location or steps > 50:
            return None
        if location:
            path = (path.parent / unquote(location)).resolve()
            if not path.is_relative_to(self.path.parent) or not path.is_file():
                return None
        node = self.read(path)
        for token in fragment.split("/")[1:]:
            token = unquote(token).replace("~1", "/").replace("~0", "~")
            while isinstance(node, dict) and token not in node and "$ref" in node:
                found = self.behind(node["$ref"], path, steps + 1)
                if found is None:
                    return None
                node, path = found
            if isinstance(node, list):
                node = node[int(token)]
            elif isinstance(node, dict) and token in node:
                node = node[token]
            else:
                return None
        if isinstance(node, dict) and isinstance(node.get("$ref"), str):
            return self.behind(node["$ref"], path, steps + 1)
        return node, path

    def count(self):
        """Return how many operations there are under ``paths``."""
        paths = self.read(self.path).get("paths") or {}
        return sum(self._of_item(item) for name, item in paths.items() if not name.startswith("x-"))

    def _of_item(self, item):
        if not isinstance(item, dict):
            return 0
        verbs = {
            key.lower() for key, value in item.items() if key.lower() in VERBS and value not in (None, "")
        }
        more = set(item.get("additionalOperations") or {})
        if isinstance(item.get("$ref"), str):
            found = self.behind(item["$ref"], self.path)
            if found is not None and isinstance(found[0], dict):
                target = found[0]
                verbs |= {
                    key.lower()
                    for key, value in target.items()
                    if key.lower() in VERBS and value not in (None, "")
                }
                more |= set(target.get("additionalOperations") or {})
        return len(verbs) + len(more)


@pytest.fixture(scope="session")
def unpacked(tmp_path_factory):
    """Return the root document of a row, unpacked where the row is an archive."""
    folder = tmp_path_factory.mktemp("corpus")

    def path_of(base, row):
        if not row["file"].endswith(".tar.gz"):
            return base / row["file"]
        target = folder / row["name"]
        if not target.exists():
            with tarfile.open(base / row["file"]) as archive:
                archive.extractall(target, filter="data")
        return target / row["root"]

    return path_of


@pytest.mark.slow
def test_the_report_counts_what_is_there(shared, unpacked):
    folder = shared / "openapi"
    lines = (folder / "MANIFEST.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [row for row in map(json.loads, lines) if row["set"] == "valid"]
    complete = operations = tools = 0
    wrong = {}
    for row in rows:
        path = unpacked(folder, row)
        found = import_document(read_path(path), ImportOptions())
        report = found.report
        # the plain reader takes long for a large YAML text; the manifest's count was made without us, too
        slow = row["format"] == "yaml" and row["bytes"] > 500_000
        counts = (
            len(report.operations),
            row["operations"] if slow else Counter(path).count(),
            row["operations"],
        )
        if len(set(counts)) != 1:
            wrong[row["name"]] = counts
        assert report.imported + report.degraded + report.skipped == len(report.operations)
        assert len(found.plans) == report.imported + report.degraded
        assert all(entry.problems for entry in report.operations if entry.outcome != "imported")
        complete += len(found.plans) == row["operations"]
        operations += row["operations"]
        tools += len(found.plans)
    assert wrong == {}
    assert complete / len(rows) >= 0.99
    assert tools / operations >= 0.999


def document(paths, version="3.2.0", **more):
    return {"openapi": version, "info": {"title": "T", "version": "1"}, "paths": paths, **more}


@pytest.mark.parametrize(
    ("paths", "expected"),
    [
        ({"/a": {"get": {}, "post": {}, "QUERY": {}}}, ["GET", "POST", "QUERY"]),
        (
            {"/a": {"additionalOperations": {"LINK": {}, "M-SEARCH": {}, "copy": {}}}},
            ["LINK", "M-SEARCH", "copy"],
        ),
        ({"/a": {"$ref": "#/components/pathItems/A", "put": {}}}, ["GET", "PUT"]),
        ({"/a": {"get": {"$ref": "#/components/x/op"}}}, ["GET"]),
        ({"/a": {"get": None, "head": {}}, "/b": None, "x-c": {"get": {}}}, ["HEAD"]),
        ({"/a": {"get": "text", "post": [], "put": 5}}, ["GET", "POST", "PUT"]),
        ({"/a": {"get": {"$ref": "#/nowhere"}}, "/b": {"$ref": "#/nowhere", "get": {}}}, ["GET", "GET"]),
        (
            {"/a": {"additionalOperations": {"BAD METHOD": {}, "A\r\nB": {}, "": {}}}},
            ["BAD METHOD", "A\r\nB", ""],
        ),
        ({"/a": {"trace": {}, "summary": "s", "servers": [], "parameters": [], "x-y": {}}}, ["TRACE"]),
    ],
    ids=range(9),
)
def test_every_operation_has_one_entry(paths, expected):
    components = {"pathItems": {"A": {"get": {}}}, "x": {"op": {"summary": "An operation"}}}
    found = import_document(read_value(document(paths, components=components)), ImportOptions())
    assert sorted(entry.method for entry in found.report.operations) == sorted(expected)
    assert len(found.plans) + found.report.skipped == len(expected)
    for name in found.plans:
        found.build(name)


def test_calls_that_the_api_makes_are_listed_and_never_tools():
    event = {"post": {"operationId": "hook"}}
    callbacks = {
        "done": {"{$request.body#/url}": event},
        "shared": {"$ref": "#/components/callbacks/Late"},
        "lost": {"$ref": "#/components/callbacks/None"},
        "empty": {"{$url}": {}},
    }
    more = {
        "webhooks": {"new": event, "old": {"$ref": "#/components/pathItems/Old"}, "bare": None},
        "components": {
            "callbacks": {"Late": {"{$url}": {"put": {}, "additionalOperations": {"LINK": {}}}}},
            "pathItems": {"Old": {"get": {}}},
        },
    }
    value = document({"/a": {"post": {"operationId": "a", "callbacks": callbacks}}}, **more)
    found = import_document(read_value(value), ImportOptions())
    assert list(found.plans) == ["a"]
    listed = [(one.kind, one.method, one.path) for one in found.report.mentions]
    assert listed == [
        ("webhook", "POST", "new"),
        ("webhook", "GET", "old"),
        ("webhook", "", "bare"),
        ("callback", "POST", "{$request.body#/url}"),
        ("callback", "PUT", "{$url}"),
        ("callback", "LINK", "{$url}"),
        ("callback", "", "{$url}"),
    ]
    assert found.report.mentions[3].pointer == "/paths/~1a/post/callbacks/done/{$request.body#~1url}/post"


BARE = [
    ("3.1.0", {"webhooks": {"a": {"post": {}}}}, True),
    ("3.1.0", {"components": {"schemas": {"A": {}}}}, True),
    ("3.0.3", {"paths": {}, "components": {"schemas": {"A": {}}}}, True),
    ("3.0.3", {"components": {"schemas": {"A": {}}}}, False),
    ("3.0.3", {"paths": {}}, False),
    ("3.1.0", {"paths": {}, "components": {"securitySchemes": {"a": {}}}}, False),
    ("3.1.0", {"paths": {"/a": None}, "components": {"schemas": {"A": {}}}}, False),
    ("3.1.0", {"paths": {"/a": {"$ref": "a.yaml"}}, "components": {"schemas": {"A": {}}}}, False),
    ("3.1.0", {"paths": {"/a": {"get": 5}}, "webhooks": {"a": {}}}, False),
]


@pytest.mark.parametrize(("version", "fields", "opens"), BARE, ids=range(len(BARE)))
@pytest.mark.anyio
async def test_a_document_without_operations_opens_only_if_it_means_to_have_none(version, fields, opens):
    from toolhaft.errors import SpecError
    from toolhaft.openapi.source import OpenAPISource

    value = {"openapi": version, "info": {"title": "T", "version": "1"}, **fields}
    if not opens:
        with pytest.raises(SpecError, match="operations"):
            await OpenAPISource().load(value)
        return
    async with await OpenAPISource().load(value) as catalog:
        assert len(catalog) == 0
        assert any(problem.code == "no-operations" for problem in catalog.report.problems)

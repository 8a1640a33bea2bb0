"""Texts that want to cost time, memory or a crash: one typed error or an import, soon."""

import gzip
import json
import time
import zlib

import pytest

from toolhaft.errors import SpecError
from toolhaft.openapi.documents.document import Limits
from toolhaft.openapi.documents.load import read_bytes
from toolhaft.openapi.importing import import_document
from toolhaft.openapi.options import ImportOptions

pytestmark = pytest.mark.slow
HEAD = 'openapi: 3.1.0\ninfo: {title: T, version: "1"}\n'
PATHS = "paths: {/a: {get: {operationId: a}}}\n"
VALUE = {"openapi": "3.1.0", "info": {"title": "T", "version": "1"}, "paths": {"/a": {"get": {}}}}


def bomb(levels, width, form):
    """Return aliases that repeat each other: width to the power of levels values."""
    first = form.format(", ".join(["lol"] * width))
    lines = [f"a0: &a0 {first}"]
    lines += [f"a{n}: &a{n} {form.format(', '.join([f'*a{n - 1}'] * width))}" for n in range(1, levels)]
    return "\n".join(lines)


def merge_bomb(levels, width):
    """Return objects merged from each other, many keys each."""
    keys = ", ".join(f"k{n}: {n}" for n in range(1000))
    lines = [f"m0: &m0 {{{keys}}}"]
    lines += [f"m{n}: &m{n} {{<<: [{', '.join([f'*m{n - 1}'] * width)}], x{n}: 1}}" for n in range(1, levels)]
    return "\n".join(lines)


def packed(data):
    return gzip.compress(data, 1)


def dumped(**more):
    return json.dumps({**VALUE, **more})


SURROGATE = '"\\ud800"'
REJECTED = {
    "objects in JSON": ('{"a":' * 50_000, "deeper"),
    "lists in JSON": ("[" * 1_000_000, "deeper"),
    "lists in a document": (dumped()[:-1] + ', "x": ' + "[" * 5000 + "]" * 5000 + "}", "deeper"),
    "flow lists in YAML": (HEAD + "x: " + "[" * 5000, "deeper"),
    "flow objects in YAML": (HEAD + "x: " + "{a: " * 5000, "deeper"),
    "blocks in YAML": (HEAD + "\n".join(" " * n + f"k{n}:" for n in range(2000)), "deeper|not YAML"),
    "dashes in YAML": (HEAD + "x:\n" + "- " * 5000 + "a\n", "deeper"),
    "aliases of lists": (HEAD + PATHS + bomb(40, 9, "[{}]"), "more than"),
    "aliases in pairs": (HEAD + PATHS + bomb(60, 2, "[{}]"), "more than"),
    "aliases in a path": (HEAD + bomb(30, 4, "[{}]") + "\npaths: {/a: {get: *a29}}", "more than"),
    "merges of merges": (HEAD + PATHS + merge_bomb(8, 8), "more than"),
    "zeros behind gzip": (packed(b" " * 60_000_000), "larger than"),
    "gzip in gzip": (packed(packed(dumped().encode())), "control character|not YAML|not text"),
    "gzip cut off": (packed(dumped().encode() * 10)[:-20], "cut off"),
    "gzip damaged": (b"\x1f\x8b" + bytes(range(50)), "gzip"),
    "zlib": (zlib.compress(dumped().encode()), "not|control"),
    "a PNG": (b"\x89PNG\r\n\x1a\n" + bytes(100), "control character"),
    "an archive": (b"PK\x03\x04" + bytes(100), "control character"),
    "a NUL": (dumped().encode()[:40] + b"\x00" + dumped().encode()[40:], "control character"),
    "an escape": (HEAD + "x: \x1b[2J\n", "control character"),
    "UTF-16 cut in half": (b'\xff\xfe{\x00"', "not"),
    "UTF-32 of nothing": (b"\xff\xfe\x00\x00", "empty"),
    "a mark alone": (b"\xef\xbb\xbf", "empty"),
    "white space": (b" \n\t\r\n" * 1000, "empty"),
    "a comment": (b"# nothing\n" * 1000, "empty|not an OpenAPI"),
    "an unknown tag": (HEAD + "x: !ruby/object:Gem {a: b}\n", "not plain data"),
    "a tag that runs": (HEAD + "x: !!python/name:os.system\n", "not plain data"),
    "a tag that opens": (HEAD + "x: !!python/object/new:open [/etc/passwd]\n", "not plain data"),
    "a directive": (
        "%TAG ! tag:yaml.org,2002:python/\n---\n" + HEAD + "x: !name:os.system\n",
        "not plain data",
    ),
    "an alias of nothing": (HEAD + "x: *nothing\n", "no anchor|undefined"),
    "a list as a key": (HEAD + "? [a, b]\n: c\n", "key"),
    "an object as a key": (HEAD + "? {a: b}\n: c\n", "key"),
    "an alias of a list as a key": (HEAD + "x: &x [1]\n*x : y\n", "key"),
    "tabs": (HEAD + "paths:\n\t/a:\n", "line 4"),
    "a quote left open": (HEAD + 'x: "abc\n', "not YAML"),
    "a brace too many": (dumped() + "}", "not JSON"),
    "two values": (dumped() + dumped(), "not JSON"),
    "a comment in JSON": ("{" + '/* x */ "openapi": "3.0.0"}', "not JSON|not an OpenAPI"),
    "a scalar": ("3.0", "single value"),
    "a version of ten thousand digits": (json.dumps({"openapi": "9" * 10_000}), "not known"),
    "a version that is an object": (json.dumps({"openapi": {"$ref": "#"}}), "not known"),
    "a version that is true": (json.dumps({"openapi": True}), "not known"),
}


@pytest.mark.parametrize("case", REJECTED)
def test_what_cannot_be_read_is_one_error_that_says_where(case):
    text, says = REJECTED[case]
    data = text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
    started = time.process_time()
    with pytest.raises(SpecError, match=says) as raised:
        read_bytes(data, "document")
    assert time.process_time() - started < 5
    assert raised.value.where.startswith("document")
    assert len(str(raised.value)) < 1000


IMPORTED = {
    "an alias of itself": HEAD + PATHS + "x: &x {self: *x, list: [*x]}\n",
    "aliases within the limit": HEAD + PATHS + bomb(6, 6, "[{}]"),
    "merges of merges": HEAD + PATHS + merge_bomb(3, 4),
    "a merge with itself": HEAD + PATHS + "x: &x {<<: *x, a: 1}\n",
    "a merge of text": HEAD + PATHS + "x: {<<: text, a: 1}\n",
    "two documents": HEAD + PATHS + "---\nopenapi: 3.0.0\n",
    "a document end": "---\n" + HEAD + PATHS + "...\n",
    "Norway": HEAD + PATHS + "tags: [{name: no}, {name: on}, {name: 2020-01-01}]\n",
    "numbers that are none": dumped()[:-1] + ', "x": [NaN, Infinity, -Infinity, 1e400, -1e400]}',
    "a number of 5000 digits": dumped()[:-1] + f', "x": {"9" * 5000}}}',
    "a number of 5000 digits in YAML": HEAD + PATHS + f"x: {'9' * 5000}\n",
    "a lone surrogate": dumped()[:-1] + f', "x": {SURROGATE}, {SURROGATE}: 1}}',
    "duplicate keys": dumped()[:-1] + ', "x": {"a": 1, "a": 2, "a": 3}, "info": {"title": "U"}}',
    "duplicate keys in YAML": HEAD + PATHS + "x: {a: 1, a: 2}\ninfo: {title: U}\n",
    "a trailing comma": dumped()[:-1] + ",}",
    "UTF-16": dumped().encode("utf-16"),
    "UTF-16 without a mark": dumped().encode("utf-16-le"),
    "UTF-16 the other way": dumped().encode("utf-16-be"),
    "UTF-32": dumped().encode("utf-32"),
    "UTF-32 without a mark": dumped().encode("utf-32-be"),
    "UTF-8 with a mark": b"\xef\xbb\xbf" + (HEAD + PATHS).encode(),
    "Windows-1252": (HEAD + PATHS + "x: caf\xe9 \x80\n").encode("latin-1"),
    "lines of an old Mac": (HEAD + PATHS).replace("\n", "\r").encode(),
    "a long line": dumped(description="x" * 5_000_000),
    "gzip": packed((HEAD + PATHS).encode()),
    "gzip with a second part": packed((HEAD + PATHS).encode()) + packed(b"more"),
}


@pytest.mark.parametrize("case", IMPORTED)
def test_what_can_be_read_is(case):
    text = IMPORTED[case]
    data = text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
    started = time.process_time()
    found = import_document(read_bytes(data, "document"), ImportOptions())
    assert time.process_time() - started < 5
    assert len(found.plans) == 1
    assert json.dumps(found.report.to_dict()).encode()


def test_what_was_noticed_has_a_place():
    found = read_bytes((HEAD + PATHS + "x: {a: 1, a: 2}\n").encode(), "d")
    assert [(one.code, one.pointer, one.line) for one in found.problems] == [("duplicate-key", "/x/a", 4)]
    found = read_bytes((HEAD + PATHS + "---\na: b\n").encode(), "d")
    assert [(one.code, one.line) for one in found.problems] == [("several-documents", 4)]
    found = read_bytes(IMPORTED["a trailing comma"].encode(), "d")
    assert [one.code for one in found.problems] == ["json-as-yaml"]
    found = read_bytes(IMPORTED["UTF-16 without a mark"], "d")
    assert [one.code for one in found.problems] == ["encoding"]


@pytest.mark.parametrize(
    ("limits", "says"),
    [
        (Limits(max_bytes=50), "larger than 50 bytes"),
        (Limits(depth=3), "deeper than 3"),
        (Limits(nodes=5), "more than 5 values"),
        (Limits(seconds=0.0, nodes=10**9), "longer than 0 seconds"),
    ],
    ids=["bytes", "depth", "nodes", "seconds"],
)
def test_every_limit_is_a_typed_error(limits, says):
    text = HEAD + PATHS + "x: [" + "a, " * 30_000 + "]\n"
    with pytest.raises(SpecError, match=says) as raised:
        read_bytes(text.encode(), "d", limits)
    assert raised.value.where.startswith("d")

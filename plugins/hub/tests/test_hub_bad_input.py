"""Files, folders and rows that are not as they should be: one clear error each."""

import gzip
import json
import struct

import pytest

from toolhaft import open_catalog
from toolhaft.errors import FormatError, SpecError, UsageError

CONFIG = {"architectures": ["BertForSequenceClassification"], "model_type": "bert"}


def header(value, data=b""):
    text = value if isinstance(value, bytes) else json.dumps(value).encode()
    return struct.pack("<Q", len(text)) + text + data


WHOLE = header({"w": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}, b"\0" * 8)


def folder(config=CONFIG, **files):
    """Return what lays a model's folder with these files; a double underscore stands for a full stop."""

    def lay(path):
        model = path / "model"
        model.mkdir()
        if config is not None:
            (model / "config.json").write_bytes(
                config if isinstance(config, bytes) else json.dumps(config).encode()
            )
        for name, data in files.items():
            (model / name.replace("__", ".")).write_bytes(data)
        return model

    return lay


def file(name, data):
    """Return what lays a file."""

    def lay(path):
        target = path / name
        target.write_bytes(data)
        return target

    return lay


CASES = {
    "nothing there": (lambda path: path / "absent.jsonl", UsageError, "nothing at the path"),
    "no path": (lambda path: "", UsageError, "needs a path"),
    "another kind of file": (file("cards.txt", b"{}"), UsageError, "not a file of rows"),
    "an empty file": (file("cards.jsonl", b""), SpecError, "can become a tool"),
    "an empty folder": (lambda path: path, SpecError, "can become a tool"),
    "not JSON": (file("cards.jsonl", b"{nonsense\n"), SpecError, "not JSON"),
    "a row that is a list": (file("cards.jsonl", b"{}\n[1]\n"), SpecError, "can become a tool"),
    "a row without a name": (file("cards.jsonl", b'{"domain": "x"}\n'), SpecError, "no api_name"),
    "a broken list": (file("cards.json", b'[{"api_name": "x"}'), FormatError, "not JSON"),
    "NaN": (file("cards.jsonl", b'{"api_name": NaN}'), SpecError, "NaN is not JSON"),
    "nested beyond reason": (file("cards.jsonl", b'{"api_name":' * 100_000), SpecError, "not JSON"),
    "a field nested deeper than needed": (
        file("cards.jsonl", b'{"api_name": "x", "example_code": ' + b"[" * 700 + b"]" * 700 + b"}"),
        SpecError,
        "nested deeper than 50",
    ),
    "not UTF-8": (file("cards.jsonl", b'{"api_name": "\xff"}'), FormatError, "not UTF-8"),
    "a line without end": (file("cards.jsonl", b"x" * 2_000_001), FormatError, "bytes in a line"),
    "a gzip bomb of one line": (
        file("c.jsonl.gz", gzip.compress(b"x" * 9_000_000)),
        FormatError,
        "bytes in a line",
    ),
    "half a gzip file": (file("c.jsonl.gz", gzip.compress(b'{"a": 1}' * 999)[:40]), FormatError, "gzip"),
    "no gzip file": (file("c.jsonl.gz", b"plain"), FormatError, "gzip"),
    "no weights": (folder(), SpecError, "no weights"),
    "weights that can run code": (folder(pytorch_model__bin=b"x"), SpecError, "can run code when it is read"),
    "code of its own": (
        folder({**CONFIG, "auto_map": {"AutoModel": "m.M"}}, a__safetensors=WHOLE),
        SpecError,
        "code of its own",
    ),
    "a tokenizer with code": (
        folder(a__safetensors=WHOLE, tokenizer_config__json=b'{"auto_map": {}}'),
        SpecError,
        "code of its own",
    ),
    "an adapter alone": (folder(None, adapter_config__json=b"{}"), SpecError, "an adapter alone"),
    "config that is no JSON": (folder(b"{"), SpecError, "not JSON"),
    "config that is a list": (folder(b"[]"), SpecError, "not a JSON object"),
    "a huge config": (folder(b" " * 5_000_001), SpecError, "larger than"),
    "an architecture without a task": (
        folder({"architectures": ["FooForBar"]}, a__safetensors=WHOLE),
        SpecError,
        "not run here",
    ),
    "no architecture": (folder({"architectures": 3}, a__safetensors=WHOLE), SpecError, "no architecture"),
    "weights cut off": (folder(a__safetensors=b"\x01"), SpecError, "not a safetensors file"),
    "a header that says too much": (
        folder(a__safetensors=struct.pack("<Q", 2**60)),
        SpecError,
        "not a safetensors file",
    ),
    "a header that is no JSON": (folder(a__safetensors=header(b"nonsense")), SpecError, "not JSON"),
    "a header that is a list": (folder(a__safetensors=header([1])), SpecError, "header is damaged"),
    "offsets beyond the file": (
        folder(a__safetensors=header({"w": {"shape": [2], "data_offsets": [0, 8]}})),
        SpecError,
        "header is damaged",
    ),
    "a negative shape": (
        folder(a__safetensors=header({"w": {"shape": [-2], "data_offsets": [0, 0]}})),
        SpecError,
        "header is damaged",
    ),
    "more layers than tensors": (
        folder({**CONFIG, "num_hidden_layers": 10**9}, a__safetensors=WHOLE, tokenizer__json=b"{}"),
        SpecError,
        "asks for 1000000000 layers",
    ),
    "no tokenizer": (folder(a__safetensors=WHOLE), SpecError, "no tokenizer"),
    "no image processor": (
        folder({"architectures": ["ViTForImageClassification"]}, a__safetensors=WHOLE),
        SpecError,
        "no preprocessor_config.json",
    ),
    "a card that is broken YAML": (
        folder(a__safetensors=WHOLE, README__md=b"---\na: [\n---\n"),
        SpecError,
        "README.md",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_bad_input_gives_one_clear_error(tmp_path, case):
    lay, kind, what = CASES[case]
    with pytest.raises(kind) as caught:
        open_catalog(f"hub:{lay(tmp_path)}")
    assert what in str(caught.value)
    assert len(str(caught.value)) < 1000


def test_one_bad_row_harms_no_other(tmp_path, write_rows):
    path = write_rows("{broken", write_rows.row(), "[]", write_rows.row(api_name=None, functionality=None))
    report = open_catalog(f"hub:{path}").report
    assert str(report) == "1 imported, 0 degraded, 3 skipped"
    assert [problem.line for entry in report.operations for problem in entry.problems] == [1, 3, 4]


def test_one_bad_model_harms_no_other(tmp_path, write_rows):
    folder()(tmp_path)
    write_rows(write_rows.row())
    report = open_catalog(f"hub:{tmp_path}").report
    assert str(report) == "1 imported, 0 degraded, 1 skipped"


def test_hostile_text_in_a_row_stays_text(write_rows):
    evil = "'); __import__('os').system('touch /tmp/owned'); ('"
    path = write_rows(
        write_rows.row(api_name=evil, description="\x1b[2J\u202eevil", api_call=f"torch.hub.load({evil!r})")
    )
    catalog = open_catalog(f"hub:{path}")
    (name,) = catalog
    assert "\x1b" not in catalog.spec(name).description
    assert catalog.call_sync(name)["code"] == f"import torch\ntorch.hub.load({evil!r})"


def test_memory_must_make_sense():
    with pytest.raises(UsageError, match="memory"):
        open_catalog("hub:x", memory=0)

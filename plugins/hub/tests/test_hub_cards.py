"""Rows of APIBench's layout as tools."""

import gzip
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toolhaft import open_catalog
from toolhaft.errors import FormatError
from toolhaft_hub.naming import names_of
from toolhaft_hub.normalising import Row, card_of
from toolhaft_hub.tasks import task_of


def test_a_row_becomes_a_tool_with_facts(write_rows):
    catalog = open_catalog(f"hub:{write_rows(write_rows.row())}")
    spec = catalog.spec("acme_leaf-net")
    assert str(catalog.report) == "1 imported, 0 degraded, 0 skipped"
    assert spec.effect == "read"
    assert spec.source == "hub:cards.jsonl:1"
    assert "Tells which tree a leaf is from" in spec.description
    facts = spec.metadata["hub"]
    assert (facts["task"], facts["parameters"], facts["hub"]) == (
        "image-classification",
        3_200_000,
        "torchhub",
    )
    assert facts["metrics"][0] == {
        "name": "accuracy / top_1",
        "value": 81.5,
        "text": "81.5",
        "dataset": "Leaves-9",
    }
    result = catalog.call_sync("acme_leaf-net", pretrained=False)
    assert result["code"].endswith(
        "torch.hub.load(repo_or_dir='acme/leaves', model='leaf_net', pretrained=False)"
    )
    assert result["ran"] is False


def test_the_same_tools_come_from_a_list_gzip_a_folder_and_a_catalog_file(write_rows, tmp_path):
    rows = [write_rows.row(), write_rows.row(api_name="acme/bark", api_call="Bark.load('bark')")]
    lines = open_catalog(f"hub:{write_rows(*rows)}")
    listed = tmp_path / "list.json"
    listed.write_text(json.dumps(rows), encoding="utf-8")
    packed = tmp_path / "packed.jsonl.gz"
    packed.write_bytes(gzip.compress("\n".join(map(json.dumps, rows)).encode()))
    lines.save(tmp_path / "kept.catalog")
    folder = tmp_path / "folder"
    folder.mkdir()
    for position, each in enumerate(rows):
        (folder / f"{position}.jsonl").write_text(json.dumps(each), encoding="utf-8")
    for place in (f"hub:{listed}", f"hub:{packed}", str(tmp_path / "kept.catalog"), f"hub:{folder}"):
        found = open_catalog(place)
        assert sorted(found) == ["acme_bark", "acme_leaf-net"]
        assert found.spec("acme_bark").parameters == lines.spec("acme_bark").parameters
        assert found.call_sync("acme_bark")["code"] == "Bark.load('bark')"


def test_a_row_of_the_evaluation_files_gives_its_api(write_rows):
    wrapped = {
        "code": "###Instruction: ...",
        "api_call": "x",
        "provider": "PyTorch",
        "api_data": write_rows.row(),
    }
    assert list(open_catalog(f"hub:{write_rows(wrapped)}")) == ["acme_leaf-net"]


@pytest.mark.parametrize(
    ("fields", "code", "check"),
    [
        (
            {"api_arguments": "pretrained, width=2"},
            "arguments-type",
            lambda card: [a.name for a in card.arguments] == ["pretrained", "width"],
        ),
        (
            {"api_arguments": ["image: a photo", {"name": "size"}]},
            "arguments-type",
            lambda card: card.arguments[0].description.strip() == "a photo",
        ),
        ({"api_arguments": None}, "", lambda card: card.arguments == ()),
        (
            {"python_environment_requirements": "torch, numpy"},
            "requirements-type",
            lambda card: card.requirements == ("torch", "numpy"),
        ),
        (
            {"python_environment_requirements": {"pip": "x"}},
            "requirements-type",
            lambda card: card.requirements == ("pip: x",),
        ),
        ({"example_code": {"a": "b"}}, "example-code-type", lambda card: card.example == "a: b"),
        (
            {"functionality": ["One", "Two"]},
            "functionality-type",
            lambda card: card.functionality == "One, Two",
        ),
        (
            {"performance": [{"dataset": "D", "accuracy": "12.5 %"}]},
            "performance-type",
            lambda card: card.metrics[0].value == 12.5,
        ),
        ({"performance": {"dataset": "N/A", "accuracy": "N/A"}}, "", lambda card: card.metrics == ()),
        ({"performance": {"accuracy": 10**400}}, "", lambda card: card.metrics == ()),
        ({"description": ""}, "description-missing", lambda card: card.description == ""),
        (
            {"api_call": "./run.sh --model x"},
            "call-not-python",
            lambda card: card.call is None and card.call_text,
        ),
        ({"api_call": 7}, "call-missing", lambda card: card.call is None),
        ({"api_call": "f('a')."}, "call-mended", lambda card: card.call.positional == ("a",)),
        (
            {"description": "A network of 25 million parameters", "performance": {}},
            "",
            lambda card: card.size == 25_000_000,
        ),
        (
            {"description": "A 1.5B-parameter model", "performance": {}},
            "",
            lambda card: card.size == 1_500_000_000,
        ),
    ],
    ids=range(16),
)
def test_fields_get_one_type_and_what_did_not_fit_is_told(write_rows, fields, code, check):
    row = Row(write_rows.row(**fields), 3)
    card = card_of(row)
    assert check(card)
    codes = [problem.code for problem in row.problems]
    assert codes == ([code] if code else [])
    assert all(problem.line == 3 for problem in row.problems)


def test_a_call_that_is_no_python_is_shown_as_it_is(write_rows):
    catalog = open_catalog(f"hub:{write_rows(write_rows.row(api_call='./run.sh --model x'))}")
    assert str(catalog.report) == "0 imported, 1 degraded, 0 skipped"
    assert catalog.call_sync("acme_leaf-net")["code"] == "./run.sh --model x"


def test_names_do_not_depend_on_the_order_of_rows(write_rows):
    rows = [("acme/x", "one"), ("acme/x", "two"), ("acme x", "three"), ("日本", "four"), ("y" * 200, "five")]
    names = names_of(rows)
    assert len(set(names)) == 5
    assert dict(zip(rows, names, strict=True)) == dict(zip(rows[::-1], names_of(rows[::-1]), strict=True))
    assert all(0 < len(name) <= 64 and name.isascii() for name in names)


def test_rows_twice_and_calls_twice_are_told(write_rows):
    path = write_rows(write_rows.row(), write_rows.row(), write_rows.row(domain="Other"))
    catalog = open_catalog(f"hub:{path}")
    assert str(catalog.report) == "3 imported, 0 degraded, 0 skipped"
    assert len(catalog) == 2
    first, again, other = catalog.report.operations
    assert [problem.code for entry in (first, again, other) for problem in entry.problems] == [
        "row-twice",
        "call-twice",
    ]
    assert (again.name, again.outcome) == (first.name, "imported")
    assert "cards.jsonl:1" in again.problems[0].message
    assert other.name not in (first.name, "")


def test_the_same_row_as_one_that_lost_something_has_lost_it_too(write_rows, tmp_path):
    row = write_rows.row(api_call="./run.sh")
    for place in (write_rows(row, row), tmp_path):
        (tmp_path / "more.jsonl").write_text(json.dumps(row), encoding="utf-8")
        catalog = open_catalog(f"hub:{place}")
        assert len(catalog) == 1
        assert catalog.report.degraded == len(catalog.report.operations) >= 2
        assert {entry.name for entry in catalog.report.operations} == set(catalog)


def test_one_row_over_several_lines_is_read(tmp_path, write_rows):
    path = tmp_path / "card.json"
    path.write_text(json.dumps(write_rows.row(), indent=2), encoding="utf-8")
    assert list(open_catalog(f"hub:{path}")) == ["acme_leaf-net"]


TENSORFLOW = [
    ("hub.load('https://tfhub.dev/acme/talk/4')", "import tensorflow_hub as hub"),
    (
        "hub.KerasLayer('https://tfhub.dev/acme/words/2', input_shape=[], dtype=tf.string, trainable=True)",
        "import tensorflow as tf\nimport tensorflow_hub as hub",
    ),
    (
        "tf.keras.Sequential([hub.KerasLayer('https://tfhub.dev/acme/leaf/5', output_shape=[9])])",
        "import tensorflow as tf\nimport tensorflow_hub as hub",
    ),
    ("tf.keras.applications.LeafNet(weights='imagenet', alpha=1.0)", "import tensorflow as tf"),
    ("hub.Module('https://tfhub.dev/acme/old/1', tags={'train'})", "import tensorflow_hub as hub"),
    ("hub.load('https://tfhub.dev/acme/pose/4', options={1: 'a'})", "import tensorflow_hub as hub"),
]


@pytest.mark.parametrize(("call", "imports"), TENSORFLOW, ids=range(len(TENSORFLOW)))
def test_calls_of_tensorflow_hub_become_code_that_names_its_imports(call, imports, write_rows):
    row = write_rows.row(api_call=call, framework="TensorFlow Hub", api_name="hub.load")
    catalog = open_catalog(f"hub:{write_rows(row)}")
    assert str(catalog.report) == "1 imported, 0 degraded, 0 skipped"
    (tool,) = (catalog[name] for name in catalog)
    assert tool.card.hub == "tensorflowhub"
    assert catalog.call_sync(tool.spec.name)["code"] == f"{imports}\n{call}"


SHAPES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
FIELDS = (
    "domain",
    "framework",
    "functionality",
    "api_call",
    "api_arguments",
    "python_environment_requirements",
    "example_code",
    "performance",
    "description",
)


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(fields=st.dictionaries(st.sampled_from(FIELDS), SHAPES), call=st.sampled_from(TENSORFLOW))
def test_a_row_of_any_shapes_becomes_a_tool_that_comes_back(fields, call, tmp_path_factory):
    row = {"api_name": "acme/leaf", "api_call": call[0], **fields}
    folder = tmp_path_factory.mktemp("rows")
    (folder / "cards.jsonl").write_text(json.dumps(row), encoding="utf-8")
    catalog = open_catalog(f"hub:{folder / 'cards.jsonl'}")
    catalog.save(folder / "cards.catalog")
    again = open_catalog(folder / "cards.catalog")
    (name,) = again
    assert again.spec(name) == catalog.spec(name)
    assert again.call_sync(name) == catalog.call_sync(name)
    again.close_sync()


def test_requirements_keep_the_bounds_of_their_versions(write_rows):
    row = Row(write_rows.row(python_environment_requirements=["tensorflow>=2.0,<3, numpy"]))
    assert card_of(row).requirements == ("tensorflow>=2.0,<3", "numpy")


@pytest.mark.parametrize(
    ("labels", "task"),
    [
        (("Computer Vision Image Classification",), "image-classification"),
        (("Natural Language Processing Zero-Shot Classification",), "zero-shot-classification"),
        (("Multimodal Document Question Answer",), "document-question-answering"),
        (("Text-To-Speech",), "text-to-speech"),
        (("Audio Audio Classification",), "audio-classification"),
        (("Classification", "Image classification"), "image-classification"),
        (("Leaf counting", ""), "leaf-counting"),
        ((), ""),
    ],
)
def test_tasks_are_told_from_labels(labels, task):
    assert task_of(*labels) == task


def test_a_catalog_file_cannot_give_a_tool_another_row(write_rows, tmp_path):
    from toolhaft_hub.source import HubSource

    catalog = open_catalog(f"hub:{write_rows(write_rows.row())}")
    tool = catalog["acme_leaf-net"]
    other = {**tool.binding(), "row": write_rows.row(description="Something else")}
    with pytest.raises(FormatError, match="not what its card says"):
        HubSource().bind(tool.spec, other)


def test_all_real_rows_import_and_their_calls_come_back(shared, capsys):
    from toolhaft_hub.calls import CallReader, render_call

    total = 0
    for name in ("torchhub_api.jsonl", "huggingface_api.jsonl.gz"):
        catalog = open_catalog(f"hub:{shared / 'apibench/api' / name}")
        assert catalog.report.skipped == 0
        total += len(catalog)
        cards = {each: catalog[each].card for each in catalog}
        reader = CallReader(cards.items())
        for each, card in cards.items():
            if card.call is not None:
                found = reader.read(render_call(card, {}))
                assert str(cards[found.name].call) == str(card.call), each
        with capsys.disabled():
            print(f"\n{name}: {catalog.report}")
    assert total >= 1030

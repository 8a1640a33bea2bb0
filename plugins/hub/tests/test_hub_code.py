"""Calls as Python code: parsed, written, never run."""

import ast
import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolhaft.errors import FormatError, UsageError
from toolhaft_hub.calls import CallReader, parameters_of, render_call
from toolhaft_hub.card import Argument, Card
from toolhaft_hub.code import LONGEST, PythonCall, Source, parse_call, parse_card_call

LEAF = Card(
    hub="torchhub",
    id="acme/leaf-net",
    call=parse_card_call("torch.hub.load('acme/leaves', 'leaf_net', pretrained=True, depth=18)").call,
    arguments=(Argument(name="width", value=1.5), Argument(name="progress", description="Show a bar")),
)
TYPED = Card(
    hub="huggingface",
    id="acme/painter",
    call=parse_card_call("Painter.from_pretrained('acme/painter', torch_dtype=torch.float16, steps=20)").call,
)

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**12), 10**12)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(
    values=st.lists(json_values, max_size=3),
    named=st.dictionaries(st.sampled_from("abcd"), json_values, max_size=3),
)
def test_what_is_written_is_read_again(values, named):
    call = PythonCall(callee="acme.hub.load", positional=tuple(values), keywords=tuple(named.items()))
    assert parse_call(str(call)) == call
    ast.parse(str(call), mode="eval")


@given(code=st.text(max_size=60))
def test_any_text_is_a_call_or_one_clear_error(code):
    for read in (parse_call, parse_card_call):
        with contextlib.suppress(FormatError):
            read(code)


@pytest.mark.parametrize(
    ("code", "wanted"),
    [
        ("f()", PythonCall(callee="f")),
        (
            "import torch\nmodel = torch.hub.load('a', 'b')",
            PythonCall(callee="torch.hub.load", positional=("a", "b")),
        ),
        (
            "f(x=(1, 2), y={'a': None}, z=-1.5)",
            PythonCall(callee="f", keywords=(("x", [1, 2]), ("y", {"a": None}), ("z", -1.5))),
        ),
        ("f('a' 'b')", PythonCall(callee="f", positional=("ab",))),
    ],
)
def test_calls_are_read(code, wanted):
    assert parse_call(code) == wanted


@pytest.mark.parametrize(
    ("code", "what"),
    [
        ("", "not one call"),
        ("f", "not one call"),
        ("f(1); g(2)", "not one call"),
        ("import os\nos.system('x')\nf(1)", "not one call"),
        ("f(__import__('os').getpid())", "no literal"),
        ("f(a=1+__import__('os').getpid()*0)", "no literal"),
        ("f(open('/etc/passwd').read())", "no literal"),
        ("f(x)", "no literal"),
        ("f(*[1])", "no literal"),
        ("f(**{'a': 1})", "unpacked"),
        ("f(a=1, a=2)", "named twice"),
        ("(lambda: 1)()", "no plain name"),
        ("f()()", "no plain name"),
        ("f(b'x')", "no JSON value"),
        ("f({1, 2})", "no JSON value"),
        ("f({1: 2})", "no JSON value"),
        ("f(1j)", "no JSON value"),
        ("f(1e999)", "no JSON value"),
        ("f(", "not Python"),
        ("f(\x00)", "not Python"),
        (f"f({'[' * 5000}{']' * 5000})", "nested"),
        (f"f('{'x' * LONGEST}')", "characters"),
    ],
    ids=range(22),
)
def test_what_is_no_call_of_literals_is_refused_and_not_run(code, what):
    with pytest.raises(FormatError, match=what):
        parse_call(code)


@pytest.mark.parametrize(
    ("code", "positional", "mended"),
    [
        ("pipeline('x', model='y').", ("x",), "full stop"),
        ("Model.load(acme/some-model)", ("acme/some-model",), "not quoted"),
        ("pipeline(sentiment-analysis)", ("sentiment-analysis",), "not quoted"),
        ("A.load('x'), B.load('y')", ("x",), "several calls"),
        ("A.load(cached('x'))", (Source("cached('x')"),), ""),
        ("A.load([cached('x'), 2])", (Source("[cached('x'), 2]"),), ""),
        ("A.load('x').signatures['default']", ("x",), "left out"),
        ("A.load('x')(image, b=2)", ("x",), "left out"),
        ("import a\nmodel = A.load('x')\nmodel(['y'])", ("x",), "several statements"),
        ("```python\nA.load('x')\n```", ("x",), "fences"),
        (">>> import a\n>>> A.load('x')", ("x",), "prompt"),
    ],
)
def test_cards_are_read_leniently_and_what_was_mended_is_told(code, positional, mended):
    found = parse_card_call(code)
    assert found.call.positional == positional
    assert mended in "; ".join(found.mended)


def test_literal_arguments_that_are_unpacked_are_named():
    found = parse_card_call("A.load('x', **{'depth': 18, 'kind': 'deep'})")
    assert found.call.keywords == (("depth", 18), ("kind", "deep"))
    assert "unpacked" in found.mended[0]
    for code in ("A.load(**{'a b': 1})", "A.load(**given)", "A.load(a=1, **{'a': 2})", "A.load(**{1: 2})"):
        with pytest.raises(FormatError, match="unpacked"):
            parse_card_call(code)


def test_only_what_does_not_name_the_model_can_be_chosen():
    assert parameters_of(LEAF)["properties"] == {
        "pretrained": {"type": "boolean", "default": True},
        "depth": {"type": "integer", "default": 18},
        "width": {"type": "number", "default": 1.5},
        "progress": {"description": "Show a bar"},
    }
    assert list(parameters_of(TYPED)["properties"]) == ["steps"]


def test_a_call_is_rendered_and_read_back():
    reader = CallReader([("leaf", LEAF), ("painter", TYPED)])
    code = render_call(LEAF, {"pretrained": False, "width": 2.0})
    assert (
        code
        == "import torch\ntorch.hub.load('acme/leaves', 'leaf_net', pretrained=False, depth=18, width=2.0)"
    )
    call = reader.read(code)
    assert (call.name, call.arguments) == ("leaf", {"pretrained": False, "depth": 18, "width": 2.0})
    found = reader.read(render_call(TYPED, {"steps": 5}))
    assert (found.name, found.arguments) == ("painter", {"steps": 5})
    assert "torch_dtype=torch.float16" in render_call(TYPED, {})


@pytest.mark.parametrize(
    "code",
    [
        "torch.hub.load('acme/leaves', 'tree_net', pretrained=True, depth=18)",
        "torch.hub.load('acme/leaves', 'leaf_net', pretrained=True, depth=18, nonsense=7)",
        "torch.hub.loads('acme/leaves', 'leaf_net', pretrained=True, depth=18)",
        "torch.hub.load('acme/leaves', 'leaf_net', source='local', pretrained=True)",
        "Painter.from_pretrained('acme/painter', torch_dtype=torch.float32, steps=20)",
        "Painter.from_pretrained('acme/painter', torch_dtype=torch.float16, steps=torch.float16)",
    ],
)
def test_a_call_that_no_card_has_is_not_read(code):
    with pytest.raises(FormatError):
        CallReader([("leaf", LEAF), ("painter", TYPED)]).read(code)


def test_an_argument_that_the_call_does_not_take_is_refused():
    with pytest.raises(UsageError, match="takes no argument 'nonsense'"):
        render_call(LEAF, {"nonsense": 1})
    with pytest.raises(UsageError, match="no Python code"):
        render_call(Card(hub="other", id="x", call_text="./run.sh"), {})

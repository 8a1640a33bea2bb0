"""The error tree: what each error says, and that it travels between processes."""

import copy
import time

import pytest

from toolhaft import errors
from toolhaft.errors import (
    BudgetExceededError,
    ToolError,
    ToolhaftError,
    UnknownNameError,
    UnknownToolError,
    UsageError,
    nearest_names,
)

CLASSES = [
    value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, ToolhaftError)
]


def made(kind):
    if kind is UnknownNameError:
        return kind("tool", "wether", ["weather", "time"])
    if kind is BudgetExceededError:
        return kind("tool_calls", 3)
    if kind is UnknownToolError:
        return kind("wether", ["weather"])
    return kind("it broke", where="a.yaml#/x", hint="Mend it", details={"n": 1}, effect="uncertain")


def test_the_tree_in_the_docstring_names_every_class():
    for kind in CLASSES:
        if kind is not ToolhaftError:
            assert kind.__name__ in errors.__doc__


def test_codes_are_unique_and_well_formed():
    codes = [kind.code for kind in CLASSES]
    assert len(set(codes)) == len(codes)
    assert all(code.startswith("E-") and code == code.upper() for code in codes)


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_errors_can_be_sent_to_other_processes(kind):
    error = made(kind)
    error.trajectory = "what was done"
    for again in (copy.deepcopy(error), copy.copy(error)):  # by the protocol that pickling uses
        assert type(again) is kind
        assert str(again) == str(error)
        assert again.to_dict() == error.to_dict()
        assert again.trajectory == "what was done"
        assert again.args == error.args


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_errors_are_json(kind):
    import json

    shown = made(kind).to_dict()
    assert json.loads(json.dumps(shown)) == shown
    assert shown["code"].startswith(kind.code)


def test_an_error_says_where_what_and_hint():
    error = ToolhaftError("it broke", where="a.yaml:3", hint="Mend it")
    assert str(error) == "a.yaml:3: it broke. Mend it"
    assert str(ToolhaftError("it broke")) == "it broke"
    assert ToolhaftError("it broke").to_dict() == {"code": "E-FAILED", "what": "it broke"}


def test_a_code_can_be_more_exact_than_the_class():
    assert ToolError("x", code="E-SHOP").code == "E-SHOP"
    assert ToolError.code == "E-TOOL"


@pytest.mark.parametrize(
    ("kind", "exit_code"), [(UsageError, 2), (UnknownNameError, 2), (errors.ApprovalNeededError, 4)]
)
def test_exit_codes(kind, exit_code):
    assert made(kind).exit_code == exit_code


def test_unknown_names_show_the_nearest():
    error = UnknownNameError("planner", "raect", ["react", "dfsdt"])
    assert error.nearest == ["react"]
    assert "Did you mean 'react'?" in str(error)


def test_unknown_names_show_what_there_is_when_nothing_is_near():
    names = [f"tool{n}" for n in range(20)]
    hint = UnknownNameError("scheme", "zzz", names).hint
    assert hint.startswith("Known: tool0, tool1, tool10")
    assert hint.endswith(", ...")


@pytest.mark.parametrize(
    ("name", "known", "first"),
    [
        ("GETPET", ["getPet", "setPet"], "getPet"),
        (
            "getUserDetailById5",
            [f"get_user_detail_by_id_{n}" for n in range(30_000)],
            "get_user_detail_by_id_5",
        ),
        ("a" * 100_000, ["a" * 70, "b"], "a" * 70),
    ],
)
def test_nearest_names(name, known, first):
    started = time.perf_counter()
    assert nearest_names(name, known)[0] == first
    assert time.perf_counter() - started < 2


def test_a_long_made_up_tool_name_is_cut():
    assert len(str(UnknownToolError("x" * 1_000_000, ["weather"]))) < 300

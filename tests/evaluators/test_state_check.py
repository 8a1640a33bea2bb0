"""Checks hold for what they should, and for nothing else."""

import pytest

from toolhaft.errors import UsageError
from toolhaft.evaluators.state_check import check, declines, states_fact
from toolhaft.types import Gold, Task

STATE = {
    "shop": {
        "cart": {"lines": {"prd-1": 2}},
        "orders": {
            "A": {"status": "processing", "total": 10.5, "items": [{"id": "x"}], "gift": True},
            "B": {"status": "cancelled", "total": 20.0, "items": [], "gift": False},
        },
    },
    "writes": [],
}


def task(**gold):
    return Task(id="t", instruction="Do.", gold=Gold(**gold))


@pytest.mark.parametrize(
    ("answer", "fact", "holds"),
    [
        ("You get 3420.48 kroner.", "3420.48", True),
        ("You get 3,420.48 kroner.", "3420.48", True),
        ("You get 13420.48 kroner.", "3420.48", False),
        ("You get 3420.485 kroner.", "3420.48", False),
        ("It is 16.4°C.", "16.4", True),
        ("It is 16.4C", "16.4", True),
        ("It is 16.45", "16.4", False),
        ("It is 216.4", "16.4", False),
        ("It is 16.40.", "16.4", True),
        ("448.00 euros", "448", True),
        ("448.", "448", True),
        ("448.5", "448", False),
        ("1448", "448", False),
        ("EVT-448", "448", False),
        ("2026-06-90", "90", False),
        ("up to 90 days", "90", True),
        ("It costs €90!", "90", True),
        ("-4 degrees", "-4", True),
        ("4 degrees", "-4", False),
        ("at 22:14.", "22:14", True),
        ("at 122:14", "22:14", False),
        ("on 2026-06-03.", "2026-06-03", True),
        ("2026-06-03T10:00", "2026-06-03", True),
        ("2026-06-031", "2026-06-03", False),
        ("On June 3, it", "2026-06-03|June 3", True),
        ("On June 30, it", "2026-06-03|June 3", False),
        ("in LISBON", "Lisbon", True),
        ("in Lisbonne", "Lisbon", False),
        ("the Tagus   Rest", "tagus rest", True),
        ("northern", "no|none", False),
        ("", "x", False),
        ("anything", "", False),
    ],
)
def test_facts(answer, fact, holds):
    assert states_fact(answer, fact) is holds


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ("I cannot order a taxi.", True),
        ("I can't do that.", True),
        ("I can’t do that.", True),
        ("There is no tool for taxis.", True),
        ("None of the available tools does this.", True),
        ("I am unable to pay bills.", True),
        ("This is not possible.", True),
        ("No suitable tool was found.", True),
        ("I do not have a tool for that.", True),
        ("Your taxi is ordered.", False),
        ("The canned food is here.", False),
        ("", False),
        ("I noted it.", False),
    ],
)
def test_declining(answer, says):
    assert declines(answer) is says


@pytest.mark.parametrize(
    ("row", "holds"),
    [
        ({"path": "/shop/cart/lines", "equals": {"prd-1": 2}}, True),
        ({"path": "/shop/cart/lines", "equals": {"prd-1": 2.0}}, True),
        ({"path": "/shop/cart/lines", "equals": {"prd-1": 3}}, False),
        ({"path": "/shop/cart/lines/prd-1", "equals": {"at_most": -1}}, False),
        ({"path": "/shop/cart/lines/prd-1", "equals": 10**400}, False),
        ({"path": "/shop/orders/A/items/" + "9" * 5000, "equals": {"exists": False}}, True),
        ({"path": "/shop/cart/lines", "equals": {}}, False),
        ({"path": "/shop/nothing", "equals": {}}, False),
        ({"path": "/shop/nothing", "equals": {"exists": False}}, True),
        ({"path": "/shop/orders/A/status", "equals": "Processing "}, True),
        ({"path": "/shop/orders/A/gift", "equals": True}, True),
        ({"path": "/shop/orders/A/gift", "equals": 1}, False),
        ({"path": "/shop/orders/A/items", "equals": [{"id": "x"}]}, True),
        ({"path": "/shop/orders", "where": {}, "count": 2}, True),
        ({"path": "/shop/orders", "count": 3}, False),
        ({"path": "/shop/orders", "where": {"status": "cancelled"}}, True),
        ({"path": "/shop/orders", "where": {"status": "shipped"}}, False),
        ({"path": "/shop/orders", "where": {"total": {"at_least": 10.5, "at_most": 15}}, "count": 1}, True),
        ({"path": "/shop/orders", "where": {"status": {"at_least": 1}}, "count": 0}, True),
        (
            {
                "path": "/shop/orders",
                "where": {"status": {"one_of": ["cancelled", "processing"]}},
                "count": 2,
            },
            True,
        ),
        ({"path": "/shop/orders", "where": {"status": {"contains": "CANCEL"}}, "count": 1}, True),
        ({"path": "/shop/orders", "where": {"items": {"contains": {"id": "x"}}}, "count": 1}, True),
        ({"path": "/shop/orders", "where": {"items": {"length": 0}}, "count": 1}, True),
        ({"path": "/shop/orders", "where": {"items/0/id": "x"}, "count": {"at_most": 1}}, True),
        ({"path": "/shop/orders", "where": {"missing": None}, "count": 0}, True),
        ({"path": "/shop/nothing", "where": {}, "count": 0}, True),
        ({"path": "/writes", "where": {}, "count": 0}, True),
    ],
)
def test_state(row, holds):
    score = check(task(state=(row,)), "", STATE)
    assert score.value == float(holds)
    assert bool(score.details["failed"]) is not holds


@pytest.mark.parametrize(
    "row",
    [
        {},
        {"path": "/a"},
        {"path": "/a", "equals": 1, "count": 1},
        {"path": "/a", "exists": True},
        {"path": "/a", "count": float("inf")},
        {"path": "/a", "count": float("nan")},
        {"path": "/a", "equals": {"at_least": float("inf")}},
        {"path": "/a", "equals": {"at_least": 10**400}},
        {"path": "/a", "equals": {"at_least": 1, "at_most": 0}},
        {"path": "/a", "equals": {"at_least": 1, "colour": 2}},
        {"equals": 1},
    ],
)
def test_malformed_checks_are_refused(row):
    with pytest.raises(UsageError):
        check(task(state=(row,)), "", {"a": 1})


def test_every_check_must_hold():
    both = task(state=({"path": "/shop/orders", "count": 2},), facts=("done",))
    assert check(both, "done", STATE).value == 1.0
    score = check(both, "no", STATE)
    assert score.value == 0.0
    assert score.reason == "the answer does not state 'done'"
    assert score.details == {"checks": 2, "failed": [score.reason], "wrong_state": 0}


def test_an_unsolvable_task_wants_to_be_declined():
    wanted = task(solvable=False, state=({"path": "/writes", "count": 0},))
    assert check(wanted, "I cannot do that.", STATE).value == 1.0
    assert check(wanted, "Done!", STATE).value == 0.0
    assert check(wanted, "", STATE, status="gave_up").value == 1.0
    assert check(wanted, "I cannot do that.", {"writes": [{}]}).value == 0.0


@pytest.mark.parametrize("gold", [None, Gold(), Gold(tools=("a",))])
def test_a_task_with_nothing_to_check(gold):
    with pytest.raises(UsageError, match="nothing to be checked"):
        check(Task(id="t", instruction="Do.", gold=gold), "", STATE)

"""Calls are matched as each mode says, against a brute-force reading of the same words."""

import itertools
import random

import pytest

from toolhaft.errors import ToolError, UsageError
from toolhaft.evaluators.match import MatchEvaluator, equal_json
from toolhaft.testing import record_trajectory
from toolhaft.types import Gold, Task, ToolCall


def call(name, **arguments):
    return ToolCall(id=name, name=name, arguments=arguments)


A, B, C = call("a", x=1), call("b", y="two"), call("c")


async def score(gold, made, **settings):
    task = Task(id="t", instruction="Do.", gold=Gold(calls=tuple(gold)))
    rounds = [each if isinstance(each, tuple) else (each, {"ok": True}) for each in made]
    return await MatchEvaluator(**settings).evaluate(task, record_trajectory(task, *rounds, answer="Done."))


CASES = [
    ("the same", [A, B], [A, B], {"exact": 1, "in_order": 1, "any_order": 1}),
    ("another first", [A, B], [C, A, B], {"exact": 0, "in_order": 1, "any_order": 1}),
    ("another between", [A, B], [A, C, B], {"exact": 0, "in_order": 1, "any_order": 1}),
    ("the other way round", [A, B], [B, A], {"exact": 0, "in_order": 0, "any_order": 1}),
    ("one is missing", [A, B], [A], {"exact": 0, "in_order": 0, "any_order": 0}),
    ("twice wanted, once made", [A, A], [A, B], {"exact": 0, "in_order": 0, "any_order": 0}),
    ("once wanted, twice made", [A], [A, A], {"exact": 0, "in_order": 1, "any_order": 1}),
    ("nothing made", [A], [], {"exact": 0, "in_order": 0, "any_order": 0}),
    ("only with a failure", [A], [(A, ToolError("no"))], {"exact": 0, "in_order": 0, "any_order": 0}),
    ("failed, then made", [A], [(A, ToolError("no")), A], {"exact": 1, "in_order": 1, "any_order": 1}),
    ("another argument", [A], [call("a", x=2)], {"exact": 0, "in_order": 0, "any_order": 0}),
    ("an argument too many", [A], [call("a", x=1, z=0)], {"exact": 0, "in_order": 0, "any_order": 0}),
    ("an argument too few", [A], [call("a")], {"exact": 0, "in_order": 0, "any_order": 0}),
]


@pytest.mark.anyio
@pytest.mark.parametrize("mode", ["exact", "in_order", "any_order"])
@pytest.mark.parametrize("case", CASES, ids=[case[0] for case in CASES])
async def test_modes(case, mode):
    _, gold, made, wanted = case
    assert (await score(gold, made, mode=mode)).value == wanted[mode]


@pytest.mark.anyio
async def test_what_is_missing_and_extra_is_told():
    found = await score([A, B, A], [A, C, B])
    assert found.details["missing"] == [{"name": "a", "arguments": {"x": 1}}]
    assert found.details["extra"] == [{"name": "c", "arguments": {}}]
    assert found.details["matched"] == 2
    assert found.reason == "2 of 3 gold calls were made; missing: a"
    assert (await score([A], [A, C], mode="exact")).reason == "1 of 1 gold calls were made, and others: c"


@pytest.mark.anyio
async def test_arguments_that_the_gold_has_not_may_be_ignored():
    assert (await score([A], [call("a", x=1, z=0)], ignore_extra=True)).value == 1
    assert (await score([A], [call("a", z=0)], ignore_extra=True)).value == 0


@pytest.mark.anyio
async def test_a_call_that_fits_two_is_not_wasted_on_one():
    """Greedy pairing would give ``a(x=1, y=2)`` to the first and leave the second without."""
    gold = [call("a"), call("a", y=2)]
    made = [call("a", x=1, y=2), call("a", x=1)]
    assert (await score(gold, made, mode="any_order", ignore_extra=True)).value == 1
    assert (await score(gold, made, mode="in_order", ignore_extra=True)).value == 0


@pytest.mark.anyio
async def test_any_order_against_every_permutation():
    random.seed(7)
    pool = [call("a"), call("a", x=1), call("a", y=2), call("a", x=1, y=2), call("b")]
    for _ in range(300):
        gold = random.choices(pool, k=random.randint(1, 4))
        made = random.choices(pool, k=random.randint(0, 5))
        fits = MatchEvaluator(ignore_extra=True)._fits
        best = max(
            sum(fits(one, wanted) for one, wanted in zip(order, gold, strict=False) if one is not None)
            for order in itertools.permutations([*made, *[None] * len(gold)], len(gold))
        )
        found = await score(gold, made, mode="any_order", ignore_extra=True)
        assert found.details["matched"] == best
        assert found.value == float(best == len(gold))


@pytest.mark.anyio
async def test_in_order_against_every_selection():
    random.seed(8)
    pool = [A, B, C]
    for _ in range(300):
        gold = random.choices(pool, k=random.randint(1, 4))
        made = random.choices(pool, k=random.randint(0, 5))
        common = max(
            size
            for size in range(len(gold) + 1)
            if {tuple(c.name for c in part) for part in itertools.combinations(gold, size)}
            & {tuple(c.name for c in part) for part in itertools.combinations(made, size)}
        )
        found = await score(gold, made)
        assert found.details["matched"] == common
        assert len(found.details["missing"]) == len(gold) - common
        assert len(found.details["extra"]) == len(made) - common


@pytest.mark.anyio
async def test_only_the_way_to_the_answer_counts():
    task = Task(id="t", instruction="Do.", gold=Gold(calls=(A,)))
    whole = record_trajectory(task, (A, "x"), (B, "y"), answer="Done.")
    assert (await MatchEvaluator().evaluate(task, whole)).value == 1
    ends_elsewhere = record_trajectory(task, (A, "x"), answer="Done.", answer_step=None)
    assert (await MatchEvaluator().evaluate(task, ends_elsewhere)).value == 0


@pytest.mark.parametrize(
    ("a", "b", "equal"),
    [
        (1, 1.0, True),
        (1, True, False),
        (0, False, False),
        (True, True, True),
        (None, None, True),
        (None, False, False),
        ("a", "A", False),
        (0.1 + 0.2, 0.3, True),
        (1e12, 1e12 + 1, True),
        (1, 1.001, False),
        (10**400, 10**400, True),
        (10**400, 1.0, False),
        (float("nan"), 1, False),
        ({"a": 1, "b": [1, 2]}, {"b": [1.0, 2], "a": 1}, True),
        ({"a": 1}, {"a": 1, "b": None}, False),
        ([1, 2], [2, 1], False),
        ([1, 2], (1, 2), True),
        ("1", 1, False),
        ([], {}, False),
    ],
)
def test_equality_of_json(a, b, equal):
    assert equal_json(a, b, tolerance=1e-9) is equal
    assert equal_json(b, a, tolerance=1e-9) is equal


@pytest.mark.anyio
async def test_many_calls_take_no_time():
    gold = [call("a", x=n % 7) for n in range(400)]
    made = [call("a", x=n % 5) for n in range(2000)]
    found = await score(gold, made, mode="any_order")
    assert found.details["gold"] == 400
    assert len(found.details["extra"]) == 20


@pytest.mark.parametrize("settings", [{"mode": "loose"}, {"tolerance": -1}, {"tolerance": float("nan")}])
def test_settings_that_make_no_sense(settings):
    with pytest.raises(UsageError):
        MatchEvaluator(**settings)


@pytest.mark.anyio
@pytest.mark.parametrize("gold", [None, Gold(), Gold(tools=("a",))])
async def test_a_task_without_gold_calls(gold):
    task = Task(id="t", instruction="Do.", gold=gold)
    with pytest.raises(UsageError, match=r"gold\.calls"):
        await MatchEvaluator().evaluate(task, record_trajectory(task, answer="x"))

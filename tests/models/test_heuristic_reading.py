"""What the heuristic model reads out of instructions, schemas and observations."""

from datetime import date

import pytest

from toolhaft.models.heuristic.choosing import superlative_of
from toolhaft.models.heuristic.clauses import split_goals
from toolhaft.models.heuristic.dates import find_dates, find_today, render
from toolhaft.models.heuristic.limits import plain_pattern
from toolhaft.models.heuristic.mentions import find_mentions
from toolhaft.models.heuristic.readings import read
from toolhaft.models.heuristic.slots import slots_of
from toolhaft.types import ToolCall, ToolSpec

MONDAY = date(2026, 3, 2)


@pytest.mark.parametrize(
    ("text", "today", "expected"),
    [
        ("on 2026-06-04", None, "2026-06-04"),
        ("on March 3rd, 2024", None, "2024-03-03"),
        ("the 3rd of March 2024", None, "2024-03-03"),
        ("on 15th October,2023", None, "2023-10-15"),
        ("by 12/31/2025", None, "2025-12-31"),
        ("am 31.12.2025", None, "2025-12-31"),
        ("tomorrow", MONDAY, "2026-03-03"),
        ("next Friday", MONDAY, "2026-03-06"),
        ("next Monday", MONDAY, "2026-03-09"),
        ("in two weeks", MONDAY, "2026-03-16"),
        ("on January 5th", date(2026, 12, 30), "2027-01-05"),
    ],
)
def test_days_are_read(text, today, expected):
    found = find_dates(text, today)
    assert [one.day.isoformat() for one in found] == [expected]


@pytest.mark.parametrize(
    "text", ["tomorrow", "next Friday", "on 31 February 2025", "2025-13-01", "in two weeks"]
)
def test_days_that_cannot_be_told_are_left_out(text):
    assert [one for one in find_dates(text, None) if one.day] == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("3 pm", "15:00:00"),
        ("12 am", "00:00:00"),
        ("14:30", "14:30:00"),
        ("noon", "12:00:00"),
        ("9:05 p.m.", "21:05:00"),
    ],
)
def test_times_are_read(text, expected):
    assert [one.clock for one in find_dates(f"at {text}", None)] == [expected]


def test_a_time_joins_its_day_and_takes_the_layout_of_the_schema():
    when = find_dates("on 2026-06-04 at 3 pm", None)[0]
    assert render(when, style="date-time") == "2026-06-04T15:00:00Z"
    assert render(when, style="date-time", description="as YYYY-MM-DDTHH:MM") == "2026-06-04T15:00"
    assert render(when, style="date", description="Format DD-MM-YYYY") == "04-06-2026"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Today is 2026-03-02.", MONDAY),
        ("The current date is March 2, 2026.", MONDAY),
        ("I want to leave today and be back on 2026-03-09.", None),
        ("Set the date to 2026-03-09.", None),
    ],
)
def test_today_is_taken_from_where_it_is_stated(text, expected):
    assert find_today([text]) == expected


def values(text, kind):
    return [mention.value for mention in find_mentions(text, None) if mention.kind == kind]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("7 apples", [7]),
        ("twenty-five people", [25]),
        ("two hundred and ten", [210]),
        ("$1,250.50", [1250.5]),
        ("213 million", [213_000_000]),
        ("$50k", [50_000]),
        ("-4.5 degrees", [-4.5]),
        ("1e-9 farad", [1e-9]),
        ("a dozen eggs", [12]),
    ],
)
def test_numbers_are_read(text, expected):
    assert values(text, "number") == expected


@pytest.mark.parametrize(
    ("text", "kind", "expected"),
    [
        ('Name it "Blue Door" now', "quoted", ["Blue Door"]),
        ("don't say it's over", "quoted", []),
        ("write to a.b@c.example, please", "email", ["a.b@c.example"]),
        ("see https://x.example/a?b=1.", "url", ["https://x.example/a?b=1"]),
        ("order ORD-1002 and #77", "id", ["ORD-1002", "77"]),
        ("points (3,4) and [1, 2]", "list", [[3, 4], [1, 2]]),
        ("the point (007,1)", "list", [["007", "1"]]),
        ("Find Mary Ann Jones in New York", "entity", ["Mary Ann Jones", "New York"]),
        ("Get the Battle of Hastings", "entity", ["Battle of Hastings"]),
        ("Boston, MA", "entity", ["Boston, MA"]),
        ("write him saying I am late.", "tail", ["I am late"]),
    ],
)
def test_other_values_are_read(text, kind, expected):
    assert values(text, kind) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Cancel order 4 and then send me a receipt.", [("cancel", "delete"), ("send", "create")]),
        ("Find fish and chips.", [("find", "read")]),
        ("I live in Rome. What is the weather there?", [("what", "read")]),
        ("Add a note. It is urgent.", [("add", "create")]),
        ("Could you please book a table?", [("book", "create")]),
        (
            "List the users, add Bob Ray, and delete the oldest one.",
            [("list", "read"), ("add", "create"), ("delete", "delete")],
        ),
    ],
)
def test_goals_are_split(text, expected):
    assert [(goal.verb.split()[0], goal.intent) for goal in split_goals(text)] == expected or [
        goal.intent for goal in split_goals(text)
    ] == [intent for _, intent in expected]


def test_verbs_of_the_tools_split_goals():
    text = "Frobnicate Alpha and defrag Beta."
    assert len(split_goals(text)) == 1
    assert [goal.intent for goal in split_goals(text, {"frobnic": "create", "defrag": "delete"})] == [
        "create",
        "delete",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("the cheapest one", -1),
        ("the most expensive room", 1),
        ("next week", None),
        ("the latest order", 1),
        ("a plain one", None),
    ],
)
def test_superlatives_are_read(text, expected):
    found = superlative_of(text)
    assert (found[0] if found else None) == expected


CALL = ToolCall(id="1", name="list_things")


@pytest.mark.parametrize(
    ("text", "failed", "empty"),
    [
        ("Error E-HTTP-STATUS: 404: no such thing", True, False),
        ('{"error": "no such thing"}', True, False),
        ("[]", False, True),
        ('{"total": 0, "page": 1, "items": []}', False, True),
        ('{"items": [], "name": "Ann"}', False, False),
        ('[{"id": 1}]', False, False),
        ("No results found.", False, True),
        ("The sky is blue.", False, False),
        ("{broken", False, False),
    ],
)
def test_observations_are_read(text, failed, empty):
    reading = read(CALL, text, None)
    assert (reading.failed, reading.empty) == (failed, empty)


def test_records_carry_what_they_are_called():
    reading = read(CALL, '{"orders": [{"id": 1, "buyer": {"name": "Ann"}}], "total": 1}', None)
    order = next(record for record in reading.records if record.fields.get("id") == 1)
    assert "order" in order.noun
    assert order.listed
    assert order.fields["buyer.name"] == "Ann"


@pytest.mark.parametrize("pattern", ["^(a+)+$", "(a|aa)*b", ".*.*.*x", "^[a-z]{1,500}$", "[", 7, "a" * 200])
def test_patterns_that_may_be_slow_are_not_run(pattern):
    assert plain_pattern(pattern) is None


def test_slots_look_through_references_and_unions():
    spec = ToolSpec(
        name="x",
        parameters={
            "type": "object",
            "properties": {
                "a": {"$ref": "#/$defs/Id"},
                "b": {"anyOf": [{"type": "null"}, {"type": "integer"}]},
                "c": {"type": "array", "items": {"type": "object", "properties": {"d": {"type": "number"}}}},
            },
            "$defs": {"Id": {"type": "string", "format": "uuid"}},
        },
    )
    assert [(slot.path, slot.kind) for slot in slots_of(spec)] == [
        (("a",), "id"),
        (("b",), "integer"),
        (("c", 0, "d"), "number"),
    ]

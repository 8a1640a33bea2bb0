"""What the heuristic model takes for an identifier or a name, and which other choice it takes."""

import json
import time
from datetime import date

import pytest

from toolhaft.models.heuristic import HeuristicModel
from toolhaft.models.heuristic.fallbacks import find_fallback
from toolhaft.models.heuristic.mentions import find_mentions
from toolhaft.types import Message, ToolSpec


def text(description="", **more):
    return {"type": "string", "description": description, **more}


def spec(name, description, effect="read", required=(), **properties):
    parameters = {"type": "object", "properties": properties, "required": list(required)}
    return ToolSpec(
        name=name, description=description, effect=effect, parent="harbour", parameters=parameters
    )


BOAT = text("The boat, such as BT-4.")
TOOLS = (
    spec("listBoats", "List the boats.", kind={"type": "string", "enum": ["canoe", "dinghy", "ferry"]}),
    spec("getBoat", "Get a boat.", required=["boat_id"], boat_id=BOAT),
    spec("searchSkippers", "Search skippers.", query=text("Words of the name.")),
    spec("getSkipper", "Get a skipper with phone and licence.", required=["skipper_id"], skipper_id=text()),
    spec(
        "rentBoat",
        "Rent a boat. Gives a boat to somebody for some days.",
        "write",
        ["boat_id", "sailor", "days"],
        boat_id=BOAT,
        sailor=text("Name of the sailor."),
        days={"type": "integer"},
    ),
    spec(
        "reserveBerth",
        "Reserve a berth of the harbour.",
        "write",
        ["berth_id", "sailor"],
        berth_id=text("The berth."),
        sailor=text("Name of the sailor."),
        date=text("Day.", format="date"),
    ),
    spec("payBerth", "Pay a reserved berth.", "irreversible", ["berth_id"], berth_id=text("The berth.")),
)


async def talk(instruction, results, tools=TOOLS, steps=12):
    """Return the calls that were made and the last message; ``results`` by tool, an exhausted one fails."""
    messages = [Message(role="user", text=f"Today is 2026-06-01. {instruction}")]
    made = []
    left = {name: list(rows) for name, rows in results.items()}
    for _ in range(steps):
        completion = await HeuristicModel().complete(messages, tools)
        messages.append(completion.message())
        if not completion.calls:
            return made, completion
        for call in completion.calls:
            made.append((call.name, call.arguments))
            rows = left.get(call.name) or ["Error E-HTTP-STATUS: the API answered 409 Conflict: taken"]
            result = rows.pop(0) if len(rows) > 1 else rows[0]
            said = result if isinstance(result, str) else json.dumps(result)
            messages.append(Message(role="tool", text=said, call_id=call.id, name=call.name))
    raise AssertionError(made)


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("instruction", "tool", "argument", "wrong"),
    [
        ("We're 5. Reserve a berth for Ann Lee.", "reserveBerth", "berth_id", "5"),
        ("Reserve a berth on 12 June for Ann Lee.", "reserveBerth", "berth_id", "12"),
        ("Reserve the berth BT-4 for Ann Lee.", "reserveBerth", "berth_id", "BT-4"),
        ("Rent the boat BT-4 for 3 days, whatever it costs.", "rentBoat", "sailor", "whatever"),
        ("Rent the boat BT-4 for 3 days to a Miller.", "rentBoat", "sailor", "Miller"),
        ("Rent the red canoe for 3 days for Ann Lee.", "rentBoat", "sailor", "canoe"),
    ],
)
async def test_a_guess_is_never_written(instruction, tool, argument, wrong):
    made, _ = await talk(instruction, {"listBoats": [{"boats": [{"boat_id": "BT-1", "kind": "canoe"}]}]})
    assert [one for name, one in made if name == tool and one.get(argument) == wrong] == []


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("instruction", "value"),
    [
        ("Reserve berth 12 for Ann Lee.", "12"),
        ("Reserve the berth with the number 12 for Ann Lee.", "12"),
        ("Reserve the berth #12 for Ann Lee.", "12"),
        ("Reserve the berth QX-7 for Ann Lee.", "QX-7"),
    ],
)
async def test_what_is_called_an_identifier_is_one(instruction, value):
    made, _ = await talk(instruction, {"reserveBerth": [{"reservation_id": "r-1"}]})
    assert made == [("reserveBerth", {"berth_id": value, "sailor": "Ann Lee"})]


@pytest.mark.anyio
async def test_what_cannot_be_undone_is_not_done_where_another_tool_does_what_is_ordered():
    made, _ = await talk("Can you reserve the berth 12?", {"payBerth": [{"paid": True}]})
    assert [name for name, _ in made if name == "payBerth"] == []


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("instruction", "boats"),
    [
        ("Rent the boat BT-3 for Ann Lee for 2 days, or BT-5 if it is taken.", ["BT-3", "BT-5"]),
        ("Rent BT-3 for 2 days for Ann Lee; if that is not free, BT-5.", ["BT-3", "BT-5"]),
        ("Rent the boat BT-3, otherwise BT-5, for 2 days for Ann Lee.", ["BT-3", "BT-5"]),
        ("Rent the boat BT-3, BT-5 or BT-8 for 2 days for Ann Lee.", ["BT-3", "BT-5", "BT-8"]),
        ("Rent a dinghy for Ann Lee for 2 days, BT-3 if it is free, else another one.", ["BT-3", "BT-6"]),
    ],
)
async def test_the_choice_that_is_named_is_taken_where_the_first_is_refused(instruction, boats):
    rows = {"boats": [{"boat_id": f"BT-{n}", "kind": "dinghy"} for n in (3, 6)]}
    refused = "Error E-HTTP-STATUS: the API answered 409 Conflict: taken"
    results = {"listBoats": [rows], "rentBoat": [*[refused] * (len(boats) - 1), {"rental_id": "r-1"}]}
    made, last = await talk(instruction, results)
    assert [one["boat_id"] for name, one in made if name == "rentBoat"] == boats
    assert all(one["sailor"] == "Ann Lee" and one["days"] == 2 for name, one in made if name == "rentBoat")
    assert last.finish == "stop"


@pytest.mark.anyio
async def test_without_a_named_choice_the_first_refusal_ends_the_path():
    made, last = await talk("Rent the boat BT-3 for 2 days for Ann Lee.", {})
    assert [name for name, _ in made] == ["rentBoat"]
    assert last.finish == "gave_up"


@pytest.mark.anyio
async def test_reading_is_not_doing_what_was_ordered():
    rows = {"boats": [{"boat_id": "BT-3", "kind": "canoe"}]}
    made, last = await talk("Rent a canoe for 2 days for Ann Lee.", {"listBoats": [rows]})
    assert made[-1][0] == "rentBoat"
    assert last.finish == "gave_up"


@pytest.mark.anyio
async def test_two_of_one_name_are_asked_about():
    rows = {"skippers": [{"skipper_id": f"s-{n}", "name": "Pepe Rul"} for n in (1, 2)]}
    made, last = await talk("What is the licence of the skipper Pepe Rul?", {"searchSkippers": [rows]})
    assert [name for name, _ in made] == ["searchSkippers"]
    assert last.text.endswith("Which skipper do you mean?")


@pytest.mark.anyio
async def test_what_bears_a_stated_identifier_is_read():
    made, _ = await talk("Is BT-4 big enough for us?", {"getBoat": [{"boat_id": "BT-4", "seats": 6}]})
    assert made == [("getBoat", {"boat_id": "BT-4"})]


@pytest.mark.anyio
async def test_a_search_tells_whether_it_is_for_the_question():
    row = {"skippers": [{"skipper_id": "s-1", "name": "Ida Vance", "home": "Elm"}]}
    question = "Where does Ida Vance live?"
    made, found = await talk(question, {"searchSkippers": [row]})
    assert made == [("searchSkippers", {"query": "Ida Vance"})]
    assert "Elm" in found.text
    _, nothing = await talk(question, {"searchSkippers": [{"skippers": []}]})
    assert nothing.finish == "gave_up"


@pytest.mark.parametrize(
    ("instruction", "first", "others"),
    [
        ("Take A-1, or A-2 if it is full.", "Take A-1.", ["Take A-2."]),
        ("Book 3 June at 10:00 or at 11:30.", "Book 3 June at 10:00.", ["Book 3 June at 11:30."]),
        ('Use "x", "y" or "z".', 'Use "x".', ['Use "y".', 'Use "z".']),
        ("Come Monday if possible, Tuesday is fine.", "Come Monday.", ["Come Tuesday."]),
    ],
)
def test_the_choices_that_a_sentence_names(instruction, first, others):
    found = find_fallback(instruction, find_mentions(instruction, date(2026, 6, 1)))
    assert found is not None
    assert " ".join(found.first.split()).replace(" .", ".") == first
    assert [" ".join(one.split()).replace(" .", ".") for one in found.others] == others
    assert {len(one) for one in (found.first, *found.others)} == {len(instruction)}


@pytest.mark.parametrize(
    "instruction",
    [
        "If it rains, cancel the meeting with Bob.",
        "Cancel the order. If it is paid, refund it.",
        "Book a table for two or three people in Oslo.",
        "Reserve the berth 12 for Ann Lee.",
    ],
)
def test_what_names_no_other_choice(instruction):
    assert find_fallback(instruction, find_mentions(instruction, date(2026, 6, 1))) is None


@pytest.mark.parametrize("piece", [" ", ", ", "or ", "if a ", "PF-3 or ", "if if, ", ". but ", "a, is fine "])
def test_long_texts_are_read_quickly(piece):
    instruction = piece * (8000 // len(piece))
    mentions = find_mentions(instruction, None)
    began = time.perf_counter()
    find_fallback(instruction, mentions)
    assert time.perf_counter() - began < 2.0


@pytest.mark.anyio
@pytest.mark.parametrize(
    "instruction", ["Can you reserve a berth for Ann Lee?", "Reserve a berth for Ann Lee."]
)
async def test_what_stands_in_the_record_of_somebody_else_is_not_taken(instruction):
    listing = spec("listReservations", "List reservations of berths.", sailor=text("Name of the sailor."))
    row = {"reservation_id": "r-1", "berth_id": "B-2", "sailor": "Tom", "status": "reserved"}
    made, last = await talk(instruction, {"listReservations": [{"reservations": [row]}]}, (*TOOLS, listing))
    assert [name for name, _ in made] == ["listReservations"]
    assert last.text.endswith("Which berth do you mean?")

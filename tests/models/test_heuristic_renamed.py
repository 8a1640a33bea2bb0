"""The heuristic model knows no domain: with other words for everything it does the same."""

import asyncio
import json
import re

import pytest

from toolhaft.models.heuristic import HeuristicModel
from toolhaft.types import Message, ToolSpec

NONSENSE = {
    "book": "zorbal",
    "member": "plimat",
    "loan": "quafin",
    "author": "drendel",
    "library": "mosket",
    "search": "vigon",
    "list": "trulap",
    "create": "bandis",
    "lend": "fexor",
    "show": "gribul",
    "get": "nastom",
}
ROWS = {
    "searchBooks": {
        "books": [
            {"book_id": "x-11", "title": "The Salt Road", "author": "Ida Moreau", "price": 12.5},
            {"book_id": "x-13", "title": "Quiet Engines", "author": "Ida Moreau", "price": 15.25},
        ]
    },
    "listMembers": {
        "members": [{"member_id": 501, "name": "Nora Lind"}, {"member_id": 502, "name": "Piotr Ziel"}]
    },
    "createLoan": {"loan_id": "q-1"},
    "getBook": {"book_id": "x-11", "title": "The Salt Road", "price": 12.5},
}
TOOLS = [
    (
        "searchBooks",
        "Search the books of the library.",
        "read",
        {"query": {"type": "string", "description": "Words of the title."}},
        [],
    ),
    (
        "getBook",
        "Show one book with its price.",
        "read",
        {"book_id": {"type": "string", "description": "The book."}},
        ["book_id"],
    ),
    ("listMembers", "List the members of the library.", "read", {}, []),
    (
        "createLoan",
        "Lend a book to a member.",
        "write",
        {"book_id": {"type": "string"}, "member_id": {"type": "integer"}, "days": {"type": "integer"}},
        ["book_id", "member_id"],
    ),
]
INSTRUCTIONS = {
    "Lend Quiet Engines to Piotr Ziel for 21 days.": (
        "createLoan",
        {"book_id": "x-13", "member_id": 502, "days": 21},
    ),
    "What is the price of book x-11?": ("getBook", {"book_id": "x-11"}),
    "List the members of the library.": ("listMembers", {}),
    "Find the cheapest book by Ida Moreau and lend it to Nora Lind.": (
        "createLoan",
        {"book_id": "x-11", "member_id": 501},
    ),
}


def renamed(text, words):
    def swap(match):
        word = match[0]
        for ending in ("", "s"):
            base = word.lower().removesuffix(ending) if ending else word.lower()
            if base in words and word.lower() == base + ending:
                other = words[base] + ending
                return other.capitalize() if word[0].isupper() else other
        return word

    return re.sub(r"[A-Z]?[a-z]+", swap, text)


def calls_of(instruction, words):
    tools = tuple(
        ToolSpec(
            name=renamed(name, words),
            description=renamed(description, words),
            effect=effect,
            parameters={
                "type": "object",
                "properties": {
                    renamed(key, words): json.loads(renamed(json.dumps(one), words))
                    for key, one in slots.items()
                },
                "required": [renamed(key, words) for key in required],
            },
        )
        for name, description, effect, slots, required in TOOLS
    )
    results = {renamed(name, words): renamed(json.dumps(rows), words) for name, rows in ROWS.items()}
    messages = [Message(role="user", text=renamed(instruction, words))]
    made = []
    for _ in range(10):
        completion = asyncio.run(HeuristicModel().complete(messages, tools))
        if not completion.calls:
            return made
        messages.append(completion.message())
        for call in completion.calls:
            made.append((call.name, call.arguments))
            messages.append(Message(role="tool", text=results[call.name], call_id=call.id, name=call.name))
    raise AssertionError(made)


@pytest.mark.parametrize("words", [{}, NONSENSE], ids=["english", "nonsense"])
@pytest.mark.parametrize("instruction", list(INSTRUCTIONS))
def test_the_last_call_is_right_whatever_things_are_called(instruction, words):
    name, arguments = INSTRUCTIONS[instruction]
    expected = (renamed(name, words), {renamed(key, words): value for key, value in arguments.items()})
    assert calls_of(instruction, words)[-1] == expected

"""Tools that the texts of other tools name."""

import pytest

from toolhaft.retrievers.mentions import mentioned_tools
from toolhaft.testing import tool_spec

NAMES = ("placeSearch", "list_places", "get-place", "places", "a1_B")


@pytest.mark.parametrize(
    ("description", "names"),
    [
        ("The id comes from `placeSearch`.", ["placeSearch"]),
        ("See `places`, then list_places.", ["places", "list_places"]),
        ("Lists places.", []),
        ("get-place or placeSearch, get-place first", ["get-place", "placeSearch"]),
        ("(a1_B) and xplaceSearch, placeSearchx", ["a1_B"]),
        ("the tool itself, `own_name`, and `nobody`", []),
    ],
)
def test_names_in_a_description_are_found(description, names):
    spec = tool_spec("own_name", description=description)
    assert mentioned_tools([spec], {*NAMES, "own_name"}, limit=9) == names


def test_descriptions_of_arguments_are_read_and_the_limit_is_kept():
    schema = {"type": "object", "properties": {"id": {"type": "string", "description": "Of list_places."}}}
    spec = tool_spec("own_name", description="Needs `placeSearch`.", parameters=schema)
    assert mentioned_tools([spec], NAMES, limit=9) == ["placeSearch", "list_places"]
    assert mentioned_tools([spec], NAMES, limit=1) == ["placeSearch"]


@pytest.mark.parametrize("text", ["a" + 10_000 * "A" + "é", 7_000 * "aB" + "é", 9_000 * "a-" + "é"])
def test_a_text_made_to_be_slow_is_read_in_no_time(text):
    # Where ends of a word are tried in every combination, one of 40 letters takes hours.
    assert mentioned_tools([tool_spec("own_name", description=text)], NAMES, limit=9) == []

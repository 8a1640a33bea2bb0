"""One composition of search text for every kind of tool."""

import pytest

from toolhaft.retrievers.fields import compose_fields, compose_tokens, own_title
from toolhaft.types import ToolSpec


@pytest.mark.parametrize(
    ("name", "parent", "title"),
    [
        ("weather_by_city_forecast", "Weather by City", "forecast"),
        ("Weather_By_City_Forecast_1a2b3c4d", "Weather by City", "Forecast"),
        ("weather_forecast", "Weather by City", "weather_forecast"),
        ("weather", "Weather", "weather"),
        ("weather_1a2b3c4d", "Weather", "weather"),
        ("getForecast", "WeatherNow", "getForecast"),
        ("get_facade", "Art", "get_facade"),
        ("get_deadbeef", "Art", "get_deadbeef"),
        ("get_1a2b3c4d", "", "get_1a2b3c4d"),
        ("get", "天气", "get"),
        ("a", "a b c", "a"),
        ("", "", ""),
        ("x_y", "X!! --", "y"),
    ],
)
def test_a_title_is_what_of_the_name_is_its_own(name, parent, title):
    assert own_title(name, parent) == title


def test_the_title_of_an_endless_name_and_parent_is_found_at_once():
    spec = ToolSpec(name="a_" * 50_000, parent="a " * 100_000)
    assert len(compose_fields(spec).title) <= 200


API = ToolSpec(
    name="pet_shop_findPets",
    parent="Pet Shop",
    tags=("animals",),
    description="Pets by status.",
    parameters={
        "type": "object",
        "properties": {
            "status": {"type": "string", "description": "Sold or for sale"},
            "filter": {"type": "object", "properties": {"colour": {"type": "string"}}},
        },
    },
    source="openapi:shop.yaml#/paths/~1pets/get",
)
RAPIDAPI = ToolSpec(
    name="pet_shop_find_pets_0f1e2d3c",
    parent="Pet Shop",
    tags=("Animals",),
    description="Pets by status.",
    source="rapidapi:shop.json#/api_list/0",
    metadata={"api_name": "Find pets", "tool_name": "Pet Shop", "category": "Animals"},
)
CARD = ToolSpec(
    name="acme_bert-small",
    parent="huggingface",
    tags=("fill mask", "Text", "Transformers"),
    description="Fills gaps. Gives the Python code that loads acme/bert-small.",
    source="hub:cards.jsonl:1",
)
FUNCTION = ToolSpec(
    name="add_days",
    description="Add days to a date.",
    parameters={"type": "object", "properties": {"days": {"type": "integer", "description": "How many"}}},
    source="python:dates.add_days",
)
IMAGE = ToolSpec(
    name="crop_image",
    parent="vision",
    tags=("image",),
    description="Cut a part out of an image.",
    source="vision:crop_image",
)
MCP = ToolSpec(name="files_read_file", parent="files", description="Read a file.", source="mcp:files")


@pytest.mark.parametrize(
    ("spec", "title", "words"),
    [
        (API, "findPets", {"find", "pet", "shop", "anim", "status", "sold", "sale", "colour", "filter"}),
        (RAPIDAPI, "find_pets", {"find", "pet", "shop", "anim", "status"}),
        (CARD, "acme_bert-small", {"acm", "bert", "small", "fill", "mask", "gap", "text", "huggingfac"}),
        (FUNCTION, "add_days", {"add", "day", "date"}),
        (IMAGE, "crop_image", {"crop", "imag", "cut", "vision"}),
        (MCP, "read_file", {"read", "file"}),
    ],
    ids=["operation", "rapidapi", "card", "function", "image", "mcp"],
)
def test_every_kind_of_tool_is_found_by_its_own_words(spec, title, words):
    assert compose_fields(spec).title == title
    terms = set(compose_tokens(spec))
    assert words <= terms
    assert not {"0", "f", "e", "d", "c", "2d3c"} & terms, "a hash is no word"


def test_titles_and_descriptions_give_pairs_and_lists_do_not():
    spec = ToolSpec(
        name="list_open_orders",
        parent="Corner Shop",
        tags=("retail trade",),
        description="Orders of customers.",
        parameters={"type": "object", "properties": {"start_day": {"description": "first one"}}},
    )
    terms = compose_tokens(spec)
    assert {term for term in terms if " " in term} == {"list open", "open order", "order custom"}
    assert terms.count("open order") == terms.count("open"), "a pair weighs what its field does"

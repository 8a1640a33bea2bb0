"""What of the ranking is an option, and off: the lift by category, and runs of characters."""

import logging

import pytest

from toolhaft.errors import UsageError
from toolhaft.retrievers.bm25 import BM25
from toolhaft.retrievers.grams import gram_terms
from toolhaft.testing import tool_spec
from toolhaft.tools.specs import HeldSpecs

pytestmark = pytest.mark.anyio
SPECS = (
    tool_spec(
        "getForecast", parameters={"type": "object"}, description="The forecast of rain.", tags=("weather",)
    ),
    tool_spec(
        "getTides",
        parameters={"type": "object"},
        description="High water by the hour, forecast.",
        tags=("sea",),
    ),
    tool_spec(
        "listStations",
        parameters={"type": "object"},
        description="Where rain is measured.",
        tags=("weather",),
    ),
)


async def names(query, specs=SPECS, k=3, **settings):
    retriever = BM25(**settings)
    await retriever.index(specs)
    found = [hit.item.name for hit in await retriever.retrieve(query, k)]
    await retriever.close()
    return found


async def test_a_category_lifts_its_tools():
    said = (
        ("one", "alpha beta gamma kappa", "weather"),
        ("two", "delta epsilon", "sea"),
        ("three", "beta", "weather"),
    )
    specs = [
        tool_spec(name, parameters={"type": "object"}, description=text, tags=(tag,))
        for name, text, tag in said
    ]
    query = "alpha beta gamma kappa delta epsilon"
    assert await names(query, specs) == ["one", "two", "three"]
    assert await names(query, specs, category_boost=5) == ["one", "three", "two"]


@pytest.mark.parametrize("size", [3, 3_000], ids=["pure", "arrays"])
async def test_runs_of_characters_find_what_is_misspelt(size):
    pytest.importorskip("numpy")
    specs = [
        *SPECS,
        *(
            tool_spec(f"other{number}", parameters={"type": "object"}, description="Nothing.")
            for number in range(size - 3)
        ),
    ]
    assert await names("forecazt", specs) == []
    assert set(await names("forecazt", specs, grams=0.2)) == {"getForecast", "getTides"}


class Kept(HeldSpecs):
    """Specs of a catalog file."""

    version = "v1"
    place = None


async def test_an_index_with_runs_of_characters_is_kept_apart(tmp_path, caplog):
    specs = Kept(SPECS)
    specs.place = tmp_path / "rain.catalog"
    with caplog.at_level(logging.WARNING):
        for settings in ({"grams": 0.2}, {"grams": 0.2}, {}):
            retriever = BM25(**settings)
            await retriever.index(specs)
            assert bool(await retriever.retrieve("forecazt", 3)) == ("grams" in settings)
            await retriever.close()
    assert caplog.text == ""


def test_runs_of_characters():
    assert gram_terms("getRain the") == ["~<get>", "~<rain", "~rain>"]
    assert gram_terms("") == []
    assert len(gram_terms("x" * 300_000)) <= 4_000


@pytest.mark.parametrize("value", [-1, 11, "x", float("nan"), None])
@pytest.mark.parametrize("name", ["category_boost", "grams"])
def test_values_out_of_range(name, value):
    with pytest.raises(UsageError, match=name):
        BM25(**{name: value})

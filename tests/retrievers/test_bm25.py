"""The BM25 retrievers: fields, ranking, small catalogs, and the library behind the other one."""

import sys

import pytest

from toolhaft.errors import ConfigError, UsageError
from toolhaft.retrievers.bm25 import BM25
from toolhaft.retrievers.fields import FieldWeights, compose_fields, compose_text, compose_tokens
from toolhaft.retrievers.parents import Parents
from toolhaft.retrievers.rank_bm25 import RankBM25
from toolhaft.types import ToolSpec


def spec(name, description="", /, *, parent="", tags=(), **properties):
    return ToolSpec(
        name=name,
        description=description,
        parent=parent,
        tags=tags,
        parameters={
            "type": "object",
            "properties": {key: {"type": "string", "description": text} for key, text in properties.items()},
        },
    )


CATALOG = [
    spec("getForecast", "Weather forecast for a city.", parent="WeatherNow", city="Name of the city"),
    spec("getAlerts", "Active warnings.", parent="WeatherNow", region="Where"),
    spec("convertCurrency", "Convert money.", parent="Exchange", amount="", source="ISO code"),
    spec("listPets", "All pets in the store.", parent="Petstore", tags=("animals",)),
    spec("createPet", "Add a pet.", parent="Petstore", tags=("animals",), name="What it is called"),
    spec("noop"),
]


async def found(retriever, query, k=5, catalog=CATALOG):
    await retriever.index(catalog)
    return [hit.item.name for hit in await retriever.retrieve(query, k)]


@pytest.mark.anyio
@pytest.mark.parametrize("kind", [BM25, RankBM25])
@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("What will the weather be in this city?", "getForecast"),
        ("convert 5 dollars", "convertCurrency"),
        ("ISO codes", "convertCurrency"),
        ("animals in the store", "listPets"),
        ("called", "createPet"),
    ],
)
async def test_words_of_every_field_are_found(kind, query, first):
    assert (await found(kind(), query))[0] == first


@pytest.mark.anyio
@pytest.mark.parametrize("boost", [0.0, 0.5, 1.2, 5.0])
async def test_both_retrievers_agree(boost):
    ours, library = BM25(parent_boost=boost), RankBM25(parent_boost=boost)
    await ours.index(CATALOG)
    await library.index(CATALOG)
    for query in (
        "weather in the city",
        "pet store animals, and once more a pet: pets for the store",
        "add money",
        "warnings where",
        "zzz",
    ):
        hits, expected = await ours.retrieve(query, 4), await library.retrieve(query, 4)
        assert [hit.item.name for hit in hits] == [hit.item.name for hit in expected]
        assert [hit.score for hit in hits] == pytest.approx([hit.score for hit in expected], abs=1e-9)


@pytest.mark.anyio
@pytest.mark.parametrize("kind", [BM25, RankBM25])
@pytest.mark.parametrize(
    ("query", "k", "count"), [("", 5, 0), ("zzz qqq", 5, 0), ("the of", 5, 0), ("pet", 1, 1), ("pet", 0, 0)]
)
async def test_what_shares_nothing_is_left_out(kind, query, k, count):
    assert len(await found(kind(), query, k)) == count


@pytest.mark.anyio
async def test_a_long_description_does_not_beat_a_name():
    catalog = [
        spec("other", "This mentions invoices once, among many other words of no use at all here."),
        spec("sendInvoice", "Send it."),
        spec("third", "Nothing of the kind."),
    ]
    assert (await found(BM25(), "invoice", catalog=catalog))[0] == "sendInvoice"


@pytest.mark.anyio
@pytest.mark.parametrize("size", [1, 2, 3])
async def test_a_tiny_catalog_is_ranked(size):
    catalog = [
        spec("getWeather", "Tells the weather in a city."),
        spec("getCurrency", "Tells the currency in a city."),
        spec("getTime", "Tells the time in a city."),
    ][:size]
    retriever = BM25()
    await retriever.index(catalog)
    for wanted, word in zip(catalog, ("weather", "currency", "time"), strict=False):
        hits = await retriever.retrieve(f"tell me the {word} in the city")
        assert hits[0].item is wanted
        assert len(hits) == size
        assert all(hit.score > 0 for hit in hits)


@pytest.mark.anyio
async def test_equal_scores_stand_in_the_order_of_the_catalog():
    catalog = [spec(f"pet_{word}") for word in ("alpha", "beta", "gamma", "delta")] + [
        spec("x"),
        spec("y"),
        spec("z"),
        spec("w"),
        spec("v"),
    ]
    assert await found(BM25(), "pet", 3, catalog) == ["pet_alpha", "pet_beta", "pet_gamma"]


@pytest.mark.anyio
async def test_indexing_again_forgets_what_was_there():
    retriever = BM25()
    await retriever.index(CATALOG)
    await retriever.index([spec("alone")])
    assert await retriever.retrieve("pet") == []


@pytest.mark.anyio
@pytest.mark.parametrize("kind", [BM25, RankBM25])
async def test_an_empty_catalog_finds_nothing(kind):
    assert await found(kind(), "pet", catalog=[]) == []
    assert await found(kind(), "pet", catalog=[spec("_")]) == []


def test_a_service_that_holds_the_words_lifts_its_tools():
    parents = Parents(["p", "p", "", "q"], [["a", "a"], ["b"], ["a", "b"], ["c"]], 2.0, 0.75)
    hits = [(0, 1.0), (1, 4.0), (2, 2.0), (3, 3.0)]
    lifted = dict(parents.lift(hits, {"a": 1.0, "b": 0.5}, 1.0))
    assert lifted[2] == 2.0, "no parent, no lift"
    assert lifted[3] == 3.0, "nothing of the query in the parent"
    assert lifted[0] - 1.0 == lifted[1] - 4.0 > 0, "all tools of a parent are lifted alike"
    one, both = (dict(parents.lift(hits, query, 1.0))[0] for query in ({"a": 1.0}, {"a": 1.0, "b": 1.0}))
    assert both - 1.0 == pytest.approx(2 * (one - 1.0)), "a word counts once, however many tools say it"
    assert parents.lift(hits, {"a": 1.0}, 0) == hits


@pytest.mark.anyio
async def test_pruning_before_the_lift_changes_nothing():
    catalog = [spec(f"t{i}", f"{'pet ' * (i % 5)}shop", parent=f"p{i % 7}") for i in range(60)]
    retriever = BM25(parent_boost=1.5)
    await retriever.index(catalog)
    full = {hit.item.name: hit.score for hit in await retriever.retrieve("pet shop", 60)}
    for k in (1, 3, 10):
        hits = await retriever.retrieve("pet shop", k)
        assert [(hit.item.name, hit.score) for hit in hits] == list(full.items())[:k]


@pytest.mark.anyio
async def test_a_missing_library_is_named_with_its_command(monkeypatch):
    monkeypatch.setitem(sys.modules, "rank_bm25", None)
    with pytest.raises(ConfigError, match=r"pip install 'toolhaft\[search\]'"):
        await RankBM25().index(CATALOG)


@pytest.mark.parametrize(
    "settings",
    [
        {"weights": {"title": 2}},
        {"weights": {"name": 99}},
        {"weights": {"name": 1.5}},
        {"parent_boost": -1},
        {"b": 2},
        {"k1": "2"},
    ],
)
@pytest.mark.parametrize("kind", [BM25, RankBM25])
def test_settings_that_make_no_sense(kind, settings):
    with pytest.raises(UsageError):
        kind(**settings)


def test_weights_repeat_the_words_of_a_field():
    weights = FieldWeights(name=2, parent=0, tags=1, description=3, parameters=0)
    tool = spec("ping", "pong", parent="shop", tags=("net",), host="where")
    assert compose_tokens(tool, weights) == ["ping", "ping", "net", "pong", "pong", "pong"]


def test_one_text_for_each_field():
    tool = spec("getPet", "Finds\u202e a pet.", parent="Store", tags=("animals", "shop"), petId="Which one")
    fields = compose_fields(tool)
    assert (fields.name, fields.parent, fields.tags) == ("getPet", "Store", "animals shop")
    assert (fields.description, fields.parameters) == ("Finds a pet.", "petId Which one")
    assert compose_text(tool) == ("animals shop, Store, getPet\nFinds a pet.\nparameters: petId Which one")


def test_nested_parameters_are_read_to_a_bound():
    schema = {"type": "object", "properties": {"leaf": {"description": "bottom"}}}
    for level in range(50):
        schema = {
            "type": "object",
            "properties": {f"level{level}": {"type": "array", "items": schema}},
        }
    words = compose_fields(ToolSpec(name="deep", parameters=schema)).parameters
    assert "level49" in words
    assert "leaf" not in words


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"properties": None},
        {"properties": ["a"]},
        {"properties": {"a": True, "b": {"description": 5}}},
        {"items": {"items": None}},
        {"properties": {f"p{i}": {"description": "x" * 10_000} for i in range(2_000)}},
    ],
)
def test_any_schema_has_a_bounded_text(parameters):
    assert len(compose_fields(ToolSpec(name="odd", parameters=parameters)).parameters) <= 4_000

"""The retriever ``dense``: what it finds, what it keeps, and what it shares."""

import asyncio
import subprocess
import sys

import pytest

from toolhaft import Agent
from toolhaft.hooks import Registry
from toolhaft.testing import CannedTool, check_retriever, tool_spec
from toolhaft_dense.encoder import Encoder
from toolhaft_dense.retriever import Dense
from toolhaft_dense.weights import find_encoder

pytestmark = pytest.mark.slow

SPECS = (
    tool_spec("getForecast", description="Weather for the coming days."),
    tool_spec("createTransfer", description="Move money from one account to another."),
    tool_spec("listPlaylists", description="The music that the user has collected."),
    tool_spec("findRecipes", description="Dishes that can be cooked with what is in the fridge."),
)


@pytest.fixture(scope="session")
def encoder():
    """The packaged weights, loaded once."""
    return Encoder(find_encoder(None), threads=1)


@pytest.fixture
def dense(encoder, tmp_path):
    """A retriever with a folder of its own that shares the loaded weights."""

    def make(**settings):
        made = Dense(**{"folder": tmp_path / "kept"} | settings)
        made._encoder = encoder
        return made

    return make


@pytest.mark.anyio
async def test_it_keeps_the_contract_of_retrievers(dense):
    retriever = dense()
    assert await check_retriever(retriever) == []


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("Do I need an umbrella on Friday?", "getForecast"),
        ("Pay the rent to my landlord", "createTransfer"),
        ("songs I like", "listPlaylists"),
        ("What can I make for dinner from eggs and spinach?", "findRecipes"),
    ],
)
async def test_it_finds_what_shares_no_word_with_the_query(dense, query, name):
    retriever = dense()
    await retriever.index(SPECS)
    hits = await retriever.retrieve(query, 2)
    assert hits[0].item.name == name
    assert hits == sorted(hits, key=lambda hit: -hit.score)
    assert 0 < hits[0].score <= 1.0001


@pytest.mark.anyio
async def test_only_new_texts_are_encoded_and_the_same_is_found(dense):
    first = dense()
    await first.index(SPECS[:2])
    assert first.encoded == 2
    await first.index(SPECS)
    assert first.encoded == 2
    second = dense()
    await second.index(SPECS[::-1])
    assert second.encoded == 0
    for query in ("rain", "money"):
        here, there = await first.retrieve(query, 4), await second.retrieve(query, 4)
        assert {hit.item.name: round(hit.score, 5) for hit in here} == {
            hit.item.name: round(hit.score, 5) for hit in there
        }
    changed = tool_spec("getForecast", description="Weather for the coming weeks.")
    await second.index([changed, *SPECS[1:]])
    assert second.encoded == 1
    await second.close()
    assert await second.retrieve("rain") == []


@pytest.mark.anyio
async def test_without_a_folder_nothing_is_written(dense, tmp_path):
    retriever = dense(folder=False)
    await retriever.index(SPECS)
    assert (await retriever.retrieve("rain", 1))[0].item.name == "getForecast"
    assert list(tmp_path.rglob("*.npy")) == []


@pytest.mark.anyio
async def test_equal_tools_stand_in_the_order_of_the_catalog(dense):
    retriever = dense()
    twins = [tool_spec("weather", description="Weather.", source=str(number)) for number in range(5)]
    await retriever.index(twins)
    assert retriever.encoded == 1
    assert [hit.item.source for hit in await retriever.retrieve("weather", 5)] == ["0", "1", "2", "3", "4"]
    assert [hit.item.source for hit in await retriever.retrieve("weather", 2)] == ["0", "1"]


@pytest.mark.anyio
async def test_tools_that_share_a_name_are_changed_and_removed_together(tiny_encoder):
    retriever = Dense(model=tiny_encoder, folder=False)
    twins = [tool_spec("twin", description=text) for text in ("Cats.", "Trains.")]
    await retriever.index([*twins, SPECS[0]])
    await retriever.update([tool_spec("twin", description="Stars.")])
    assert sorted(
        hit.item.description for hit in await retriever.retrieve("twin", 9) if hit.item.name == "twin"
    ) == ["Stars."]
    await retriever.index([*twins, SPECS[0]])
    await retriever.update(remove=["twin"])
    assert [name for name, _ in await retriever.rank("twin", 9)] == [SPECS[0].name]


@pytest.mark.anyio
async def test_updates_at_once_are_all_taken(tiny_encoder):
    retriever = Dense(model=tiny_encoder, folder=False)
    await retriever.index(SPECS[:1])
    await asyncio.gather(*(retriever.update([tool_spec(f"new{number}")]) for number in range(8)))
    found = {hit.item.name for hit in await retriever.retrieve("new", 20)}
    assert found == {SPECS[0].name, *(f"new{number}" for number in range(8))}


@pytest.mark.anyio
async def test_what_is_put_and_removed_at_once_stays(tiny_encoder):
    retriever = Dense(model=tiny_encoder, folder=False)
    for _ in range(2):
        await retriever.update([tool_spec("pets")], remove=["pets"])
        assert [name for name, _ in await retriever.rank("pets", 5)] == ["pets"]


@pytest.mark.anyio
async def test_nothing_is_found_for_nothing(dense):
    retriever = dense()
    assert await retriever.retrieve("rain") == []
    await retriever.index(SPECS)
    for query, k in (("", 5), (" \n", 5), ("rain", 0), ("rain", -1)):
        assert await retriever.retrieve(query, k) == []
    assert len(await retriever.retrieve("weather and money " * 50_000, 9)) <= 4


@pytest.mark.anyio
async def test_an_index_that_nobody_waits_for_ends_and_leaves_the_old_one(tiny_encoder):
    retriever = Dense(model=tiny_encoder, folder=False, batch_tokens=1)
    await retriever.index(SPECS[:1])
    many = [tool_spec(f"tool{number}", description=f"Number {number}. " * 40) for number in range(40_000)]
    task = asyncio.create_task(retriever.index(many))
    await asyncio.sleep(0.3)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with asyncio.timeout(5):
        assert [hit.item for hit in await retriever.retrieve(SPECS[0].description, 5)] == [SPECS[0]]


@pytest.mark.anyio
async def test_another_process_reopens_what_is_kept_without_torch(tiny_encoder, tmp_path):
    await Dense(model=tiny_encoder, folder=tmp_path).index(SPECS)
    descriptions = [(spec.name, spec.description) for spec in SPECS]
    code = (
        "import asyncio, sys; from toolhaft.testing import tool_spec;"
        "from toolhaft_dense.retriever import Dense;"
        f"specs = [tool_spec(name, description=text) for name, text in {descriptions!r}];"
        f"r = Dense(model={str(tiny_encoder)!r}, folder={str(tmp_path)!r});"
        "asyncio.run(r.index(specs)); print(r.encoded, 'torch' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.split() == ["0", "False"]


@pytest.mark.anyio
async def test_an_agent_takes_it_by_name(dense):
    tools = [CannedTool(spec, {"ok": True}) for spec in SPECS]
    agent = Agent(tools, model="heuristic", retriever=dense(), k=1, budget={"model_calls": 2}, allow="write")
    run = await agent.run("Umbrella tomorrow?")
    assert [spec.name for spec in run.trajectory.tools] == ["getForecast"]
    assert isinstance(Registry.load().retriever("dense"), Dense)


def test_the_registry_makes_it_without_anything_heavy():
    code = (
        "import sys; from toolhaft.hooks import Registry; Registry.load().retriever('dense');"
        "print([name for name in ('torch', 'transformers', 'numpy') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.strip() == "[]"


REFERENCE = {
    "rain": [-0.025856, 0.019149, 0.062401, 0.071368, 0.048309, 0.010604],
    "x " * 600: [-0.002061, -0.037469, -0.031494, -0.042564, -0.100168, -0.082647],
    "": [-0.118838, 0.048299, -0.002548, -0.011011, 0.051951, 0.010292],
}
"""The first numbers that sentence-transformers 6.2 gives for these texts with the same weights."""


@pytest.mark.parametrize("runtime", ["onnx", "torch"])
def test_vectors_equal_those_of_sentence_transformers(runtime):
    exact = Encoder(find_encoder(None), threads=1, runtime=runtime, precision="fp32")
    found = exact.encode(list(REFERENCE))
    assert abs(found[:, :6] - list(REFERENCE.values())).max() < 1e-5
    assert found.shape == (3, 384)


@pytest.mark.anyio
async def test_it_finds_tools_of_real_queries(dense, shared):
    import gzip
    import json

    folder = shared / "toolbench" / "retrieval"
    with gzip.open(folder / "corpus.jsonl.gz", "rt") as file:
        records = [json.loads(line) for line, _ in zip(file, range(60), strict=False)]
    specs = [
        tool_spec(
            record["api_name"],
            description=record["description"] or "",
            parent=record["tool_name"],
            source=record["id"],
        )
        for record in records
    ]
    retriever = dense()
    await retriever.index(specs)
    found = 0
    for spec in specs[::10]:
        hits = await retriever.retrieve(f"{spec.parent}: {spec.description or spec.name}", 5)
        found += any(hit.item.source == spec.source for hit in hits)
    assert found >= 0.8 * len(specs[::10])


def test_nothing_of_torch_is_imported_by_the_small_runtime(tmp_path):
    code = (
        "import asyncio, sys; from toolhaft.testing import tool_spec;"
        "from toolhaft_dense.retriever import Dense;"
        "r = Dense(threads=1);"
        "asyncio.run(r.index([tool_spec('getForecast', description='Weather for the coming days.')]));"
        "print(len(asyncio.run(r.retrieve('Do I need an umbrella?'))), r.engine.partition(';')[0],"
        " [n for n in ('torch', 'transformers', 'sentence_transformers') if n in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True
    )
    assert done.stdout.split(maxsplit=1)[0] == "1"
    assert done.stdout.strip().endswith("onnxruntime int8 []")


def test_whole_numbers_are_near_to_exact_ones_and_the_order_of_texts_is_kept(encoder):
    exact = Encoder(find_encoder(None), threads=1, precision="fp32")
    texts = [f"{spec.description} {'again ' * number}" for number, spec in enumerate(SPECS * 8)]
    cosines = (encoder.encode(texts) * exact.encode(texts)).sum(axis=1)
    assert cosines.min() > 0.975
    assert cosines.mean() > 0.99


@pytest.mark.anyio
async def test_progress_ends_with_all_tools(tiny_encoder, tmp_path):
    seen = []
    twice = [
        tool_spec("weather", description="Weather."),
        *SPECS,
        tool_spec("weather", description="Weather."),
    ]
    retriever = Dense(
        model=tiny_encoder, folder=tmp_path, batch_tokens=1, progress=lambda *counts: seen.append(counts)
    )
    await retriever.index(twice)
    assert seen[-1] == (6, 6)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert len(seen) > 3


def _other_architecture(tiny_encoder, tmp_path):
    import json
    import shutil

    shutil.copytree(tiny_encoder, tmp_path / "other")
    file = tmp_path / "other/config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"model_type": "roberta"}))
    return tmp_path / "other"


def test_another_architecture_goes_to_torch_with_one_notice(tiny_encoder, tmp_path, caplog):
    encoder = Encoder(find_encoder(_other_architecture(tiny_encoder, tmp_path)))
    assert encoder.engine == "torch fp32"
    assert encoder.runtime == "torch"
    assert [record.getMessage().partition(":")[0] for record in caplog.records] == [
        "this encoder is computed by torch, for the architecture is 'roberta', not 'bert'"
    ]


def test_a_classifier_of_pairs_gives_what_torch_gives(tiny_encoder, tmp_path):
    import numpy
    import torch
    from transformers import AutoTokenizer, BertForSequenceClassification

    from toolhaft_dense.onnx_runtime import OnnxRuntime

    torch.manual_seed(1)
    model = BertForSequenceClassification.from_pretrained(tiny_encoder, num_labels=1).eval()
    with torch.no_grad():
        for part in (model.classifier, model.bert.embeddings.token_type_embeddings):
            part.weight.mul_(50)  # as it is, hardly anything would depend on the pairs
    model.save_pretrained(tmp_path / "pairs")
    tokenizer = AutoTokenizer.from_pretrained(tiny_encoder)
    tokenizer.save_pretrained(tmp_path / "pairs")
    folder = find_encoder(tmp_path / "pairs")
    runtime = OnnxRuntime(
        folder, folder.shape(), head="classifier", precision="fp32", threads=1, cache=tmp_path / "graphs"
    )
    texts = ["weather for the coming days", "money", "a list of songs"]
    pairs = runtime.tokens.of_pairs("umbrella", texts)
    found = runtime.run([ids for ids, _ in pairs], [kinds for _, kinds in pairs])
    given = tokenizer(["umbrella"] * 3, texts, padding=True, return_tensors="pt")
    kinds = numpy.zeros(given["input_ids"].shape, dtype=numpy.int64)
    for row, (_, parts) in enumerate(pairs):
        kinds[row, : len(parts)] = parts
    with torch.inference_mode():
        expected = model(**given, token_type_ids=torch.from_numpy(kinds)).logits.numpy()
    assert found.shape == (3, 1)
    assert numpy.abs(found - expected).max() < 1e-5
    assert numpy.ptp(expected) > 1e-4

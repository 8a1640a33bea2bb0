"""Training finds what it should, and a process that was killed goes on to the same weights."""

import asyncio
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from toolhaft.training.checkpoints import list_checkpoints
from toolhaft_dense.training.running import train_retriever
from toolhaft_dense.training.settings import RetrieverSettings

from .training_sets import make_set, write_toolbench

pytestmark = pytest.mark.slow

SETTINGS = {
    "epochs": 1.0,
    "batch": 8,
    "learning_rate": 3e-3,
    "hold_out": 0.3,
    "checkpoint_every": 3,
    "patience": 0,
    "precision": "float32",
}
KILLED = """
import json, os, signal, sys
from pathlib import Path
import safetensors.torch
from toolhaft_dense.training.running import train_retriever
from toolhaft_dense.training.settings import RetrieverSettings

tests, encoder, output, settings, where = sys.argv[1:]
sys.path.insert(0, tests)
from training_sets import make_set

saved, written = safetensors.torch.save_file, []

def kill():
    os.kill(os.getpid(), signal.SIGKILL)

def save(tensors, path, *rest, **more):
    saved(tensors, path, *rest, **more)
    written.append(path)
    if where == f"write {len(written)}":
        kill()

safetensors.torch.save_file = save
tell = lambda step, steps, said: kill() if where == f"step {step}" else None
settings = RetrieverSettings(**json.loads(settings))
train_retriever(make_set(), Path(output), settings, model=encoder, progress=tell)
"""


def train(encoder, output, learning=None, *, resume=False, teacher=None, progress=None, **changed):
    settings = RetrieverSettings(**{**SETTINGS, **changed})
    return train_retriever(
        learning or make_set(),
        output,
        settings,
        model=encoder,
        teacher=teacher,
        resume=resume,
        progress=progress,
    )


def weights_of(result):
    from safetensors.torch import load_file

    return load_file(result.model / "model.safetensors")


def same(one, other):
    import torch

    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def log_of(output):
    lines = [json.loads(line) for line in (output / "log.jsonl").read_text().splitlines()]
    return [{name: value for name, value in line.items() if name != "seconds"} for line in lines]


@pytest.mark.parametrize(
    ("where", "at", "changed"),
    [
        ("step 5", 3, {}),
        ("write 6", 3, {"refresh": 1, "epochs": 2.0}),
        ("step 4", 3, {"precision": "bfloat16", "symmetric": True}),
    ],
    ids=["between", "while-writing-with-refreshed-negatives", "bfloat16"],
)
def test_a_killed_run_is_resumed_to_the_same_weights(tiny_encoder, tmp_path, where, at, changed):
    killed = tmp_path / "killed"
    settings = json.dumps({**SETTINGS, **changed})
    words = [str(Path(__file__).parent), str(tiny_encoder), str(killed), settings, where]
    done = subprocess.run(
        [sys.executable, "-c", KILLED, *words], capture_output=True, timeout=200, check=False
    )
    assert done.returncode == -9, done.stderr
    resumed = train(tiny_encoder, killed, resume=True, **changed)
    whole = train(tiny_encoder, tmp_path / "whole", **changed)
    assert resumed.trained.resumed_at == at
    assert whole.trained.resumed_at == 0
    assert same(weights_of(resumed), weights_of(whole))
    assert log_of(killed) == log_of(tmp_path / "whole")
    assert resumed.trained.best == whole.trained.best


def test_training_finds_more_and_the_seed_decides(tiny_encoder, tmp_path):
    changed = {"epochs": 6.0, "learning_rate": 1e-2, "hold_out": 0.0}
    learning = make_set()
    learning = replace(learning, tests=learning.queries)
    first = train(tiny_encoder, tmp_path / "first", learning, **changed)
    assert first.after > first.before + 0.2
    losses = [line["loss"] for line in log_of(tmp_path / "first")]
    assert losses[-1] < losses[0] / 2
    again = train(tiny_encoder, tmp_path / "again", learning, **changed)
    other = train(tiny_encoder, tmp_path / "other", learning, seed=1, **changed)
    assert same(weights_of(first), weights_of(again))
    assert not same(weights_of(first), weights_of(other))


def test_the_best_weights_are_kept_and_training_ends_when_nothing_is_gained(tiny_encoder, tmp_path):
    result = train(tiny_encoder, tmp_path / "out", epochs=30.0, learning_rate=0.5, patience=2, evaluations=2)
    measured = [line for line in log_of(tmp_path / "out") if "ndcg@5" in line]
    best = max(line["ndcg@5"] for line in measured)
    assert result.trained.steps < result.trained.planned
    assert result.after == pytest.approx(best, abs=1e-6)
    assert result.trained.best_step == [line["step"] for line in measured if line["ndcg@5"] == best][-1]
    assert max(line["ndcg@5"] for line in measured[:-2]) == best  # two measurements without a gain ended it
    assert len(list_checkpoints(tmp_path / "out/checkpoints")) <= 2
    resumed = train(
        tiny_encoder,
        tmp_path / "out",
        resume=True,
        epochs=30.0,
        learning_rate=0.5,
        patience=2,
        evaluations=2,
    )
    assert resumed.trained.steps == result.trained.steps
    assert same(weights_of(resumed), weights_of(result))


def test_frozen_layers_stay_as_they_are(tiny_encoder, tmp_path):
    from safetensors.torch import load_file

    before = load_file(tiny_encoder / "model.safetensors")
    after = weights_of(train(tiny_encoder, tmp_path / "out", frozen_layers=1, hold_out=0.0))
    changed = {name for name in before if not before[name].equal(after[name])}
    assert changed
    assert all(name.startswith("encoder.layer.") for name in changed)


# sentence-transformers tells how it reads the older layout of its own files.
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")
def test_every_runtime_opens_what_comes_out(tiny_encoder, tmp_path):
    import numpy
    from sentence_transformers import SentenceTransformer

    from toolhaft_dense.encoder import Encoder
    from toolhaft_dense.training.network import Network
    from toolhaft_dense.weights import find_encoder

    result = train(tiny_encoder, tmp_path / "out")
    texts = ["please find some weather", "a", "chess 7"]
    folder = find_encoder(result.model)
    expected = Network(folder, RetrieverSettings(precision="float32")).measured(texts).numpy()
    foreign = SentenceTransformer(str(result.model), device="cpu", local_files_only=True).encode(texts)
    numpy.testing.assert_allclose(foreign, expected, atol=1e-5)
    for runtime in ("torch", "onnx"):
        own = Encoder(folder, runtime=runtime, precision="fp32").encode(texts)
        numpy.testing.assert_allclose(own, expected, atol=1e-4)
    kinds = {path.suffix for path in (tmp_path / "out").rglob("*") if path.is_file()}
    assert kinds <= {".safetensors", ".json", ".jsonl", ".md", ".txt"}


def test_the_card_says_what_it_was_made_from(tiny_encoder, tmp_path):
    learning = replace(make_set(tests=4), hashes={"corpus.tsv": "abc123"}, left_out={"queries twice": 3})
    result = train(tiny_encoder, tmp_path / "out", learning, synthetic=12)
    card = result.card.read_text()
    assert card == (result.model / "README.md").read_text()
    for said in (
        "synthetic queries, made from the tools' own documents | ",
        "| queries of the test | 4 |",
        "| left out: queries twice | 3 |",
        "| corpus.tsv | abc123 |",
        "| learning_rate | 0.003 |",
        "NDCG@5 on the test, before training",
        "NDCG@5 on queries held out, before training",
        "## Limits",
    ):
        assert said in card


def test_where_nothing_is_held_out_no_figure_is_made_up(tiny_encoder, tmp_path):
    data = write_toolbench(tmp_path / "data")
    words = ["--data", data, "--model", tiny_encoder, "-o", tmp_path / "out", "--hold-out", "0"]
    done = subprocess.run(
        [sys.executable, "-m", "toolhaft", "train", "retriever", *map(str, words)],
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "nothing was held out: the weights are those of the last step" in done.stdout
    card = (tmp_path / "out/README.md").read_text()
    assert "| NDCG@5 on queries held out | nothing was held out |" in card
    assert "- Nothing was held out" in card
    assert "chosen by" not in card
    assert "-100" not in done.stdout + card


def test_the_command_trains_on_a_folder_and_dense_serves_it(tiny_encoder, tmp_path):
    data = write_toolbench(tmp_path / "data")
    words = [
        *("train", "retriever", "--data", data, "--model", tiny_encoder, "-o", tmp_path / "out", "--json"),
        *("--epochs", "2", "--hold-out", "0", "--synthetic", "6", "--set", "batch=4"),
    ]
    done = subprocess.run(
        [sys.executable, "-m", "toolhaft", *map(str, words)],
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["queries"] == {"given": 3, "synthetic": 6}
    assert 0 <= said["ndcg@5"]["before"] <= 1
    from toolhaft.hooks import Registry

    retriever = Registry.load().retriever("dense", model=said["model"], folder=tmp_path / "vectors")

    async def search():
        await retriever.index(make_set().tools)
        return await retriever.retrieve("please find some weather", 3)

    assert asyncio.run(search())


@pytest.mark.parametrize("kind", ["kl", "margin"])
def test_a_teachers_scores_are_learned(tiny_encoder, tiny_teacher, tmp_path, kind):
    plain = train(tiny_encoder, tmp_path / "plain", epochs=0.3, hold_out=0.0)
    changed = {"epochs": 0.3, "hold_out": 0.0, "distillation": kind}
    taught = train(tiny_encoder, tmp_path / "taught", teacher=tiny_teacher, **changed)
    assert not same(weights_of(plain), weights_of(taught))
    assert "distilled from" in taught.card.read_text()


@pytest.fixture(scope="module")
def tiny_teacher(tiny_encoder, tmp_path_factory):
    """A random cross-encoder with one output."""
    import shutil

    import torch
    from transformers import AutoConfig, BertForSequenceClassification

    folder = tmp_path_factory.mktemp("teachers") / "tiny"
    shutil.copytree(tiny_encoder, folder)
    torch.manual_seed(0)
    config = AutoConfig.from_pretrained(tiny_encoder, num_labels=1)
    BertForSequenceClassification(config).save_pretrained(folder)
    return folder

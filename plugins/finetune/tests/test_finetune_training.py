"""Training learns, and a process that was killed goes on to the same weights."""

import json
import subprocess
import sys

import pytest

from .training_rows import make_row, write_rows

pytestmark = pytest.mark.slow

SETTINGS = {
    "steps": 12,
    "learning_rate": 3e-3,
    "dropout": 0.1,
    "batch_tokens": 300,
    "accumulation": 2,
    "checkpoint_every": 4,
    "evaluate_every": 5,
}
KILLED = """
import os, signal, sys, json
from pathlib import Path
import safetensors.torch
from toolhaft_finetune.settings import TrainingSettings
from toolhaft_finetune.sft import train_sft

model, rows, output, settings, where = sys.argv[1:]
saved = safetensors.torch.save_file
written = []

def kill():
    os.kill(os.getpid(), signal.SIGKILL)

def save(tensors, path, *rest, **more):
    saved(tensors, path, *rest, **more)
    written.append(path)
    if where == f"write {len(written)}":
        kill()

safetensors.torch.save_file = save
tell = lambda step, steps, loss: kill() if where == f"step {step}" else None
train_sft(Path(model), [Path(rows)], Path(output), TrainingSettings(**json.loads(settings)),
          hold_out=0.2, progress=tell)
"""


def train(model, rows, output, *, resume=False, hold_out=0.2, **changed):
    from toolhaft_finetune.settings import TrainingSettings
    from toolhaft_finetune.sft import train_sft

    settings = TrainingSettings(**{**SETTINGS, **changed})
    return train_sft(model, [rows], output, settings, hold_out=hold_out, resume=resume)


def weights_of(folder):
    from safetensors.torch import load_file

    return load_file(folder / "model.safetensors")


def same(one, other):
    import torch

    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def log_of(output):
    lines = [json.loads(line) for line in (output / "log.jsonl").read_text().splitlines()]
    return [{name: value for name, value in line.items() if name != "seconds"} for line in lines]


@pytest.mark.parametrize(
    ("method", "where"),
    [("lora", "step 7"), ("lora", "write 3"), ("full", "step 9")],
    ids=lambda value: value.replace(" ", "-"),
)
def test_a_killed_run_is_resumed_to_the_same_weights(tiny_model, rows_file, tmp_path, method, where):
    changed = {"method": method, "optimizer": "muon" if method == "full" else "adamw"}
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    settings = json.dumps({**SETTINGS, **changed})
    done = subprocess.run(
        [sys.executable, "-c", KILLED, *map(str, (tiny_model, rows_file, killed)), settings, where],
        capture_output=True,
        timeout=100,
    )
    assert done.returncode == -9, done.stderr
    result = train(tiny_model, rows_file, killed, resume=True, **changed)
    train(tiny_model, rows_file, whole, **changed)
    assert result.trained.resumed_at == (8 if where == "step 9" else 4)
    assert same(weights_of(whole / "merged"), weights_of(killed / "merged"))
    assert log_of(whole) == log_of(killed)


def test_training_lowers_the_loss(tiny_model, rows_file, tmp_path):
    changed = {"method": "full", "learning_rate": 1e-2, "steps": 40, "checkpoint_every": 40}
    train(tiny_model, rows_file, tmp_path / "out", **changed)
    log = log_of(tmp_path / "out")
    losses = [line["loss"] for line in log if "loss" in line]
    held_out = [line["eval_loss"] for line in log if "eval_loss" in line]
    assert len(losses) == 40
    assert losses[-1] < losses[0] / 2
    assert held_out[-1] < held_out[0] / 2


# peft asks transformers for a property by the name that it had before.
@pytest.mark.filterwarnings("ignore:.*is_gradient_checkpointing:FutureWarning")
def test_merging_keeps_what_the_additions_say(tiny_model, rows_file, tmp_path):
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    from toolhaft_finetune.folder import load_tokenizer

    result = train(tiny_model, rows_file, tmp_path / "out", learning_rate=2e-2)
    ids = torch.tensor([load_tokenizer(tiny_model)("Umbrella in Oslo?")["input_ids"]])
    base = AutoModelForCausalLM.from_pretrained(tiny_model, local_files_only=True).eval()
    before = base(input_ids=ids).logits
    adapted = PeftModel.from_pretrained(base, result.adapter).eval()(input_ids=ids).logits
    merged = AutoModelForCausalLM.from_pretrained(result.merged, local_files_only=True).eval()
    assert torch.allclose(merged(input_ids=ids).logits, adapted, atol=1e-4)
    assert not torch.allclose(before, adapted, atol=0.1)


def test_what_comes_out_holds_no_pickle_and_says_what_it_is(tiny_model, rows_file, tmp_path):
    write_rows(
        rows_file, [make_row(f"Town {number}") for number in range(20)] + [make_row("x", answer="y" * 3000)]
    )
    result = train(tiny_model, rows_file, tmp_path / "out", max_tokens=500, checkpoint_every=2)
    kinds = {path.suffix for path in (tmp_path / "out").rglob("*") if path.is_file()}
    assert kinds == {".safetensors", ".json", ".jsonl", ".jinja", ".md", ".svg"}
    assert [path.name for path in sorted((tmp_path / "out/checkpoints").iterdir())] == [
        "step-0000010",
        "step-0000012",
    ]
    assert result.dropped == {"longer than 500 tokens": 1}
    card = result.card.read_text()
    for said in (
        "| model + live | 21 |",
        "longer than 500 tokens | 1",
        "rows.jsonl",
        "loss.svg",
        "## Limits",
    ):
        assert said in card
    assert (tmp_path / "out/loss.svg").read_text().startswith("<svg")


def test_the_same_seed_gives_the_same_weights_and_another_other_ones(tiny_model, rows_file, tmp_path):
    found = []
    for number, seed in enumerate((0, 0, 1)):
        train(tiny_model, rows_file, tmp_path / str(number), seed=seed, steps=3)
        found.append(weights_of(tmp_path / str(number) / "merged"))
    assert same(found[0], found[1])
    assert not same(found[0], found[2])


def test_accumulated_batches_weigh_every_token_alike(tiny_model, tmp_path):
    """Two small batches of unlike sizes make the step of one large batch."""
    import torch

    rows = [make_row("Oslo"), make_row("Rome", answer="Rain all day long, and wind in the evening.")]
    file = write_rows(tmp_path / "two.jsonl", rows)
    changed = {"method": "full", "steps": 1, "hold_out": 0.0}
    train(tiny_model, file, tmp_path / "one", batch_tokens=4000, accumulation=1, **changed)
    train(tiny_model, file, tmp_path / "two", batch_tokens=10, accumulation=2, **changed)
    assert log_of(tmp_path / "one")[0]["loss"] == pytest.approx(log_of(tmp_path / "two")[0]["loss"], rel=1e-5)
    one, two = weights_of(tmp_path / "one/merged"), weights_of(tmp_path / "two/merged")
    # The first step of Adam has the size of the rate whatever the gradient's: its direction is compared.
    agree = [torch.isclose(one[name], two[name], atol=1e-4).float().mean() for name in one]
    assert min(agree) > 0.95


def test_the_command_trains_and_the_registry_opens_what_it_made(tiny_model, rows_file, tmp_path):
    words = [
        "train",
        "sft",
        "--model",
        tiny_model,
        "--data",
        rows_file,
        "-o",
        tmp_path / "out",
        "--steps",
        "2",
    ]
    done = subprocess.run(
        [sys.executable, "-m", "toolhaft", *map(str, words), "--set", "batch_tokens=500", "--json"],
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["steps"] == 2
    from toolhaft.hooks import Registry

    registry = Registry.load()
    if "hf" not in registry.names("model"):
        pytest.skip("no plugin opens model folders")
    from toolhaft.tools.loop import run_sync
    from toolhaft.types import Message

    model = registry.model(f"hf:{said['merged']}", max_tokens=4, constrained="off")
    completion = run_sync(model.complete([Message(role="user", text="Umbrella in Oslo?")]))
    assert completion.usage.input_tokens > 5

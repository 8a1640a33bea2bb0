"""Whatever is wrong with models, rows, settings or folders: one clear error, and nothing of it is run."""

import json
import shutil

import pytest

from toolhaft.errors import ToolhaftError

from .training_rows import make_row, write_rows

pytestmark = pytest.mark.slow

PICKLE = b"cos\nsystem\n(S'touch pwned'\ntR."


def no_folder(model, rows, out):
    shutil.rmtree(model)


def no_config(model, rows, out):
    (model / "config.json").unlink()


def broken_config(model, rows, out):
    (model / "config.json").write_text('{"model_type": ')


def config_is_a_list(model, rows, out):
    (model / "config.json").write_text("[]")


def unknown_architecture(model, rows, out):
    (model / "config.json").write_text('{"model_type": "frobnicator", "architectures": ["Frobnicator"]}')


def custom_code(model, rows, out):
    config = json.loads((model / "config.json").read_text())
    config["auto_map"] = {"AutoModelForCausalLM": "evil.Evil"}
    (model / "config.json").write_text(json.dumps(config))
    (model / "evil.py").write_text("from pathlib import Path\nPath('pwned').touch()\n")


def custom_tokenizer_code(model, rows, out):
    config = json.loads((model / "tokenizer_config.json").read_text())
    config["auto_map"] = {"AutoTokenizer": ["evil.Evil", None]}
    (model / "tokenizer_config.json").write_text(json.dumps(config))


def no_weights(model, rows, out):
    (model / "model.safetensors").unlink()


def pickled_weights(model, rows, out):
    (model / "model.safetensors").unlink()
    (model / "pytorch_model.bin").write_bytes(PICKLE)


def cut_weights(model, rows, out):
    data = (model / "model.safetensors").read_bytes()
    (model / "model.safetensors").write_bytes(data[: len(data) // 2])


def pickle_named_safetensors(model, rows, out):
    (model / "model.safetensors").write_bytes(PICKLE)


def missing_tensor(model, rows, out):
    from safetensors.torch import load_file, save_file

    tensors = load_file(model / "model.safetensors")
    tensors.pop(next(name for name in tensors if "embed_tokens" in name))
    save_file(tensors, model / "model.safetensors", metadata={"format": "pt"})


def other_shape(model, rows, out):
    config = json.loads((model / "config.json").read_text())
    config["hidden_size"] = 64
    (model / "config.json").write_text(json.dumps(config))


def no_tokenizer(model, rows, out):
    for path in (*model.glob("tokenizer*"), *model.glob("*.jinja")):
        path.unlink()


def broken_tokenizer(model, rows, out):
    (model / "tokenizer.json").write_text('{"version": "1.0", "model": {"type": "Nothing"}}')


def other_tokenizer(model, rows, out):
    from safetensors.torch import load_file, save_file

    tensors = load_file(model / "model.safetensors")
    name = next(name for name in tensors if "embed_tokens" in name)
    tensors[name] = tensors[name][:300].clone()
    save_file(tensors, model / "model.safetensors", metadata={"format": "pt"})
    config = json.loads((model / "config.json").read_text())
    config["vocab_size"] = 300
    (model / "config.json").write_text(json.dumps(config))


def no_template(model, rows, out):
    (model / "chat_template.jinja").unlink()


def broken_template(model, rows, out):
    (model / "chat_template.jinja").write_text("{% for message in messages %}{{ message.content }}")


def refusing_template(model, rows, out):
    (model / "chat_template.jinja").write_text("{{ raise_exception('no tools here') }}")


def no_rows_file(model, rows, out):
    rows.unlink()


def empty_rows(model, rows, out):
    rows.write_text("\n\n")


def broken_json(model, rows, out):
    with rows.open("a") as file:
        file.write('{"messages": [\n')


def row_is_a_list(model, rows, out):
    rows.write_text("[1, 2]\n")


def no_assistant(model, rows, out):
    row = make_row("Oslo")
    row["messages"] = row["messages"][:2]
    write_rows(rows, [make_row("Rome"), row])


def unknown_role(model, rows, out):
    row = make_row("Oslo")
    row["messages"][1]["role"] = "wizard"
    write_rows(rows, [row])


def arguments_as_text(model, rows, out):
    row = make_row("Oslo")
    row["messages"][2]["tool_calls"][0]["function"]["arguments"] = '{"city": "Oslo"}'
    write_rows(rows, [row])


def silent_assistant(model, rows, out):
    row = make_row("Oslo")
    row["messages"][4]["content"] = ""
    write_rows(rows, [row])


def assistant_first(model, rows, out):
    row = make_row("Oslo")
    row["messages"] = [{"role": "assistant", "content": "Hello."}]
    write_rows(rows, [row])


def heuristic_rows(model, rows, out):
    write_rows(rows, [make_row("Oslo", origins=["heuristic"], provenances=["live"])])


def all_too_long(model, rows, out):
    write_rows(rows, [make_row("Oslo", answer="so " * 4000)])


def deep_json(model, rows, out):
    rows.write_text('{"messages": ' + "[" * 100_000 + "]" * 100_000 + "}\n")


def output_is_a_file(model, rows, out):
    out.write_text("here")


def output_below_a_file(model, rows, out):
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text("here")
    return {"output": out / "deeper"}


def output_is_the_model(model, rows, out):
    return {"output": model}


CASES = [
    (no_folder, "no such model folder", ""),
    (no_config, "cannot read the configuration", "config.json"),
    (broken_config, "not JSON", "config.json"),
    (config_is_a_list, "not a JSON object", "config.json"),
    (unknown_architecture, "frobnicator", ""),
    (custom_code, "code of its own", "config.json"),
    (custom_tokenizer_code, "code of its own", "tokenizer_config.json"),
    (no_weights, "no weights", ""),
    (pickled_weights, "pickles", ""),
    (cut_weights, "cannot be read", ""),
    (pickle_named_safetensors, "cannot be read", ""),
    (missing_tensor, "missing", ""),
    (other_shape, "cannot be read|other shape", ""),
    (no_tokenizer, "tokenizer", ""),
    (broken_tokenizer, "tokenizer cannot be read", ""),
    (other_tokenizer, "of another model", ""),
    (no_template, "no chat template", ""),
    (broken_template, "refuses the row", "rows.jsonl:1"),
    (refusing_template, "no tools here", "rows.jsonl:1"),
    (no_rows_file, "cannot read", "rows.jsonl"),
    (empty_rows, "no rows", "rows.jsonl"),
    (broken_json, "not JSON", "rows.jsonl:25"),
    (row_is_a_list, "no list `messages`", "rows.jsonl:1"),
    (no_assistant, "nothing to learn", "rows.jsonl:2"),
    (unknown_role, "role must be", "rows.jsonl:1#/messages/1"),
    (arguments_as_text, "tool call", "rows.jsonl:1#/messages/2"),
    (silent_assistant, "says and calls nothing", "rows.jsonl:1#/messages/4"),
    (assistant_first, "speaks first", "rows.jsonl:1"),
    (heuristic_rows, "1 made by heuristic", "rows.jsonl"),
    (all_too_long, "longer than 2048 tokens", "rows.jsonl"),
    (deep_json, "not JSON|no message", "rows.jsonl:1"),
    (output_is_a_file, "the output is a file", "out"),
    (output_below_a_file, "cannot be made", "out"),
    (output_is_the_model, "own folder", "model"),
]


@pytest.fixture
def model(tiny_model, tmp_path):
    return shutil.copytree(tiny_model, tmp_path / "model")


@pytest.mark.parametrize(("spoil", "what", "where"), CASES, ids=[case[0].__name__ for case in CASES])
def test_bad_input_is_one_clear_error(model, rows_file, tmp_path, monkeypatch, spoil, what, where):
    from toolhaft_finetune.settings import TrainingSettings
    from toolhaft_finetune.sft import train_sft

    monkeypatch.chdir(tmp_path)
    out = tmp_path / "out"
    changed = spoil(model, rows_file, out) or {}
    output = changed.get("output", out)
    with pytest.raises(ToolhaftError, match=what) as caught:
        train_sft(model, [rows_file], output, TrainingSettings(steps=1))
    assert where in caught.value.where
    assert caught.value.hint
    assert not (tmp_path / "pwned").exists()
    assert not (out / "merged").exists()


@pytest.mark.parametrize(
    ("settings", "what"),
    [
        ({"learning_rate": float("nan")}, "learning_rate is nan"),
        ({"learning_rate": 0.0}, "learning_rate is 0"),
        ({"rank": 0}, "rank is 0"),
        ({"rank": True}, "rank is True"),
        ({"dropout": 1.5}, "dropout is 1.5"),
        ({"warm_up": -0.1}, "warm_up is -0.1"),
        ({"method": "magic"}, "method is 'magic'"),
        ({"schedule": "up"}, "schedule is 'up'"),
        ({"steps": 0}, "steps is 0"),
        ({"targets": ()}, "target is empty"),
        ({"epochs": float("inf")}, "epochs is inf"),
        ({"seed": -1}, "seed is -1"),
    ],
    ids=str,
)
def test_settings_that_make_no_sense_are_refused(settings, what):
    from toolhaft_finetune.settings import TrainingSettings

    with pytest.raises(ToolhaftError, match=what) as caught:
        TrainingSettings(**settings)
    assert caught.value.exit_code == 2


def test_unknown_layers_are_named_with_those_there_are(model, rows_file, tmp_path):
    from toolhaft_finetune.settings import TrainingSettings
    from toolhaft_finetune.sft import train_sft

    with pytest.raises(ToolhaftError, match="no layer answers") as caught:
        train_sft(model, [rows_file], tmp_path / "out", TrainingSettings(steps=1, targets=("nothing",)))
    assert "q_proj" in caught.value.hint


@pytest.fixture(scope="module")
def earlier(tiny_model, tmp_path_factory):
    """Two steps of training with a checkpoint after each; a test copies the folder before it spoils it."""
    from toolhaft_finetune.settings import TrainingSettings
    from toolhaft_finetune.sft import train_sft

    folder = tmp_path_factory.mktemp("earlier")
    rows = write_rows(folder / "rows.jsonl", [make_row(f"Town {number}") for number in range(24)])
    train_sft(tiny_model, [rows], folder / "out", TrainingSettings(steps=2, checkpoint_every=1))
    return folder


def cut(path):
    path.write_bytes(path.read_bytes()[:-8])


SPOILED = {
    "weights cut": (lambda place: cut(place / "weights.safetensors"), "damaged"),
    "optimizer cut": (lambda place: cut(place / "optimizer.safetensors"), "damaged"),
    "state gone": (lambda place: (place / "state.json").unlink(), "cannot read the checkpoint"),
    "state no JSON": (lambda place: (place / "state.json").write_text("{"), "not JSON"),
    "state empty": (lambda place: (place / "state.json").write_text("{}"), "damaged or of a newer version"),
    "weights gone": (lambda place: (place / "weights.safetensors").unlink(), "cannot be read"),
}


@pytest.mark.parametrize("name", [*SPOILED, "other settings", "other rows", "not resumed"])
def test_a_run_goes_on_with_what_it_was_and_nothing_else(tiny_model, earlier, tmp_path, name):
    from toolhaft_finetune.settings import TrainingSettings
    from toolhaft_finetune.sft import train_sft

    shutil.copytree(earlier, tmp_path, dirs_exist_ok=True)
    rows_file, place = tmp_path / "rows.jsonl", tmp_path / "out/checkpoints/step-0000002"
    settings = {"steps": 2, "checkpoint_every": 1}
    what = {
        "other settings": "rank \\(16 before\\)",
        "other rows": "samples",
        "not resumed": "earlier run",
    }.get(name)
    if name in SPOILED:
        spoil, what = SPOILED[name]
        spoil(place)
    elif name == "other settings":
        settings["rank"] = 4
    elif name == "other rows":
        write_rows(rows_file, [make_row("Elsewhere")])
    with pytest.raises(ToolhaftError, match=what) as caught:
        train_sft(
            tiny_model,
            [rows_file],
            tmp_path / "out",
            TrainingSettings(**settings),
            resume=name != "not resumed",
        )
    assert caught.value.hint

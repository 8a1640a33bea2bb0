"""Bad input: folders, files and settings that end in one clear error, nothing run, nothing sent."""

import json
import logging
import os
import struct

import pytest

from toolhaft.errors import ConfigError, ModelError, ToolhaftError, UsageError
from toolhaft.types import Message
from toolhaft_local.folder import check_folder
from toolhaft_local.model import LocalModel

ASKED = (Message(role="user", text="hello"),)
CONFIG = {"model_type": "llama", "architectures": ["LlamaForCausalLM"], "max_position_embeddings": 64}


def write(folder, **files):
    """Write a folder that looks like a model, with some files replaced; None leaves one out."""
    folder.mkdir(exist_ok=True)
    content = {"config.json": CONFIG, "tokenizer.json": {}, "model.safetensors": "x"} | {
        name.replace("__", "."): value for name, value in files.items()
    }
    for name, value in content.items():
        if value is not None:
            data = value if isinstance(value, str | bytes) else json.dumps(value)
            (folder / name).write_bytes(data.encode() if isinstance(data, str) else data)
    return folder


FOLDERS = {
    "no config": ({"config__json": None}, "holds no model"),
    "an adapter": ({"config__json": None, "adapter_config__json": {}}, "an adapter, not a whole model"),
    "config is no JSON": ({"config__json": "{"}, "not JSON"),
    "config is a list": ({"config__json": "[]"}, "not a JSON object"),
    "config nested too deeply": ({"config__json": '{"a":' + "[" * 999 + "]" * 999 + "}"}, "levels deep"),
    "config is binary": ({"config__json": b"\xff\xfe\x00"}, "not JSON"),
    "config is huge": ({"config__json": " " * 5_000_000}, "larger than 4 MB"),
    "code of its own": ({"config__json": CONFIG | {"auto_map": {"AutoModel": "evil.Evil"}}}, "never run"),
    "code of its tokenizer": (
        {"tokenizer_config__json": {"auto_map": {"AutoTokenizer": ["evil.Evil", None]}}},
        "never run",
    ),
    "encoder and decoder": ({"config__json": CONFIG | {"is_encoder_decoder": True}}, "encoder and decoder"),
    "no tokenizer": ({"tokenizer__json": None}, "no tokenizer.json"),
    "pickled weights": ({"model__safetensors": None, "pytorch_model__bin": "x"}, "not safetensors"),
    "pth weights": ({"model__safetensors": None, "consolidated__00__pth": "x"}, "not safetensors"),
    "no weights": ({"model__safetensors": None}, "no model.safetensors"),
    "index without weights": (
        {"model__safetensors": None, "model__safetensors__index__json": {"weight_map": {}}},
        "names no weights",
    ),
    "index that leaves the folder": (
        {
            "model__safetensors": None,
            "model__safetensors__index__json": {"weight_map": {"a": "../x.safetensors"}},
        },
        "no safetensors file of this folder",
    ),
    "index to a pickle": (
        {"model__safetensors": None, "model__safetensors__index__json": {"weight_map": {"a": "x.bin"}}},
        "no safetensors file of this folder",
    ),
    "index to a missing file": (
        {
            "model__safetensors": None,
            "model__safetensors__index__json": {"weight_map": {"a": "a.safetensors"}},
        },
        "is missing",
    ),
}


@pytest.mark.parametrize("case", FOLDERS)
def test_a_bad_folder_is_refused_before_anything_is_loaded(tmp_path, case):
    files, message = FOLDERS[case]
    with pytest.raises(ConfigError, match=message) as raised:
        LocalModel(str(write(tmp_path / "model", **files)))
    assert raised.value.hint or "larger" in message
    assert str(tmp_path) in raised.value.where


NAMES = {
    "nothing": ("", "no model is named"),
    "blanks": ("  ", "no model is named"),
    "a hub name": ("someone/some-model", "never downloaded"),
    "a null byte": ("a\0b", "no path"),
    "endless": ("a" * 5_000, "no path"),
    "a long name": ("a" * 300, "cannot be read|no such folder"),
    "a strange home": ("~nobody-like-this/x", "cannot be read|no such folder"),
    "an address": ("https://127.0.0.1:9/model", "never downloaded"),
}


@pytest.mark.parametrize("case", NAMES)
def test_a_bad_name_is_refused(case):
    name, message = NAMES[case]
    with pytest.raises(ConfigError, match=message):
        check_folder(name)


def test_a_file_is_no_folder(tmp_path):
    (tmp_path / "model.gguf").write_text("GGUF")
    with pytest.raises(ConfigError, match=r"this is a file.*GGUF files: llama\.cpp"):
        check_folder(str(tmp_path / "model.gguf"))


SETTINGS = [
    {"device": "gpu"},
    {"device": "cuda:x"},
    {"device": 0},
    {"dtype": "int8"},
    {"max_tokens": 0},
    {"max_tokens": True},
    {"temperature": -1},
    {"temperature": float("nan")},
    {"temperature": "hot"},
    {"top_p": 0},
    {"top_p": 1.5},
    {"seed": 1.5},
    {"constrained": "always"},
    {"constrained": []},
    {"threads": 0},
    {"threads": 1.5},
]


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_a_setting_that_makes_no_sense_is_named(settings):
    (name,) = settings
    with pytest.raises(ConfigError, match=f"^{name} is ") as raised:
        LocalModel("anywhere", **settings)
    assert raised.value.hint


def _edit(name, **changes):
    def change(folder):
        file = folder / name
        file.write_text(json.dumps(json.loads(file.read_text()) | changes))

    return change


def _cut(folder):
    data = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(data[: len(data) // 2])


def _huge_header(folder):
    (folder / "model.safetensors").write_bytes(struct.pack("<Q", 2**62) + b"{}")


def _without_a_weight(folder):
    from safetensors.torch import load_file, save_file

    weights = load_file(folder / "model.safetensors")
    del weights["model.layers.0.mlp.up_proj.weight"]
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})


def _nan(folder):
    from safetensors.torch import load_file, save_file

    weights = load_file(folder / "model.safetensors")
    weights["model.norm.weight"] *= float("nan")
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})


DAMAGED = {
    "weights cut": (_cut, "cannot be loaded"),
    "weights with a huge header": (_huge_header, "cannot be loaded"),
    "a weight missing": (_without_a_weight, "1 weights are missing"),
    "weights that are no numbers": (_nan, "no number for the next token"),
    "another width": (_edit("config.json", hidden_size=128), "asks for [0-9]+ weights"),
    "more layers than there are": (_edit("config.json", num_hidden_layers=4), "asks for [0-9]+ weights"),
    "layers without end": (_edit("config.json", num_hidden_layers=10**9), "asks for 1000000000 layers"),
    "layers below none": (_edit("config.json", num_hidden_layers=-1), "asks for -1 layers"),
    "fewer words than rows": (_edit("config.json", vocab_size=10), "of another size"),
    "an unknown architecture": (_edit("config.json", model_type="nonsense"), "cannot be loaded"),
    "sizes that are text": (_edit("config.json", hidden_size="wide"), "cannot be loaded"),
    "a tokenizer that is none": (
        lambda folder: (folder / "tokenizer.json").write_text("{}"),
        "cannot be loaded",
    ),
    "a tokenizer that is no JSON": (
        lambda folder: (folder / "tokenizer.json").write_text("{"),
        "cannot be loaded",
    ),
    "a template that is none": (
        lambda folder: (folder / "chat_template.jinja").write_text("{% for %}"),
        "cannot say hello",
    ),
    "a template that opens files": (
        lambda folder: (folder / "chat_template.jinja").write_text(
            "{{ ''.__class__.__mro__[1].__subclasses__() }}"
        ),
        "cannot say hello",
    ),
    "a template that computes without end": (
        lambda folder: (folder / "chat_template.jinja").write_text("{{ 9 ** (9 ** 9) }}"),
        "raises numbers to a power",
    ),
    "a template with a number beyond all measure": (
        lambda folder: (folder / "chat_template.jinja").write_text("{{ 'a' * 99999999999 }}"),
        "it has the number 99999999999",
    ),
    "a template that writes too much": (
        lambda folder: (folder / "chat_template.jinja").write_text("{{ 'a' * 30000000 }}"),
        "writes more than 20,000,000 characters",
    ),
    "a template that is huge": (
        lambda folder: (folder / "chat_template.jinja").write_text(" " * 1_000_001),
        "no text, or too long",
    ),
}


@pytest.mark.slow
@pytest.mark.anyio
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")
@pytest.mark.parametrize("case", DAMAGED)
async def test_a_damaged_folder_is_one_clear_error_each_time(tiny, tmp_path, case):
    import shutil

    damage, message = DAMAGED[case]
    folder = tmp_path / "model"
    shutil.copytree(tiny, folder)
    damage(folder)
    logging.getLogger("transformers").setLevel(logging.CRITICAL)
    model = LocalModel(str(folder), max_tokens=3)
    for _ in range(2):
        with pytest.raises((ModelError, ConfigError), match=message) as raised:
            await model.complete(ASKED)
        assert raised.value.hint
        assert "\n" not in raised.value.what


@pytest.mark.slow
@pytest.mark.anyio
async def test_nothing_to_say_and_no_device_are_named(tiny):
    with pytest.raises(UsageError, match="without a message"):
        await LocalModel(str(tiny)).complete(())
    import torch

    if not torch.cuda.is_available():
        with pytest.raises(ConfigError, match="is not there"):
            await LocalModel(str(tiny), device="cuda").complete(ASKED)


@pytest.mark.slow
@pytest.mark.anyio
async def test_nothing_is_asked_of_the_network(tiny, monkeypatch):
    import socket

    def refuse(*_, **__):
        raise AssertionError("the network was asked")

    from huggingface_hub import constants

    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    before = dict(os.environ)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    completion = await LocalModel(str(tiny), max_tokens=2).complete(ASKED)
    assert completion.usage.output_tokens == 2
    assert dict(os.environ) == before


@pytest.mark.slow
def test_the_tiny_model_is_not_written_over_another(tiny, tmp_path):
    from toolhaft_local.tiny import write_tiny_model

    with pytest.raises(UsageError, match="holds a model already"):
        write_tiny_model(tiny)
    with pytest.raises(ToolhaftError, match="sizes make no sense"):
        write_tiny_model(tmp_path / "new", hidden=3)

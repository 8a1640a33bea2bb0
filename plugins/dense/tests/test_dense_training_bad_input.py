"""What training is given wrongly: one clear error each, that says what and where."""

import json
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from toolhaft.errors import ConfigError, FormatError, ModelError, ToolhaftError, UnknownNameError, UsageError
from toolhaft.testing import tool_spec
from toolhaft_dense.training.running import train_retriever
from toolhaft_dense.training.settings import RetrieverSettings
from toolhaft_dense.training.sources import Sources, gather
from toolhaft_dense.training.synthetic import make_queries

from .training_sets import make_set, write_toolbench

pytestmark = pytest.mark.slow


def spoil(name, text):
    """Return what puts a file with this text into a folder of data."""

    def change(folder):
        (folder / name).write_text(text)

    return change


def remove(name):
    """Return what takes a file out of a folder of data."""
    return lambda folder: (folder / name).unlink()


DATA = {
    "a line with too few cells": (
        spoil("corpus.tsv", "docid\tdocument_content\n1\n"),
        "corpus.tsv:2",
        "cells",
    ),
    "other titles": (spoil("corpus.tsv", "id\ttext\n1\t{}\n"), "corpus.tsv:1", "titles"),
    "a document that is no JSON": (
        spoil("corpus.tsv", 'docid\tdocument_content\n0\t{"api_name": \n'),
        "corpus.tsv:2",
        "not JSON",
    ),
    "one document id twice": (
        spoil("corpus.tsv", "docid\tdocument_content\n1\train\n1\tsnow\n"),
        "corpus.tsv:3",
        "two documents",
    ),
    "no documents": (spoil("corpus.tsv", "docid\tdocument_content\n"), "corpus.tsv", "no documents"),
    "an empty query": (spoil("train.query.txt", "1\train\n2\t  \n"), "train.query.txt:2", "empty"),
    "one query id twice": (spoil("train.query.txt", "1\train\n1\tsnow\n"), "train.query.txt:2", "the id"),
    "no queries": (spoil("train.query.txt", "\n"), "data", "no queries"),
    "a judgement that is none": (
        spoil("qrels.train.tsv", "1\t0\t0\tyes\n"),
        "qrels.train.tsv:1",
        "relevance",
    ),
    "a judgement of an unknown document": (
        spoil("qrels.train.tsv", "1\t0\t77\t1\n"),
        "train.query.txt:1",
        "no such tool",
    ),
    "no judgements at all": (remove("qrels.train.tsv"), "data", "qrels.train.tsv"),
    "no corpus": (remove("corpus.tsv"), "data", "corpus"),
    "a corpus that is no text": (
        lambda folder: (folder / "corpus.tsv").write_bytes(b"docid\tdocument_content\n1\t\xff\xfe\n"),
        "corpus.tsv:2",
        "UTF-8",
    ),
}


@pytest.mark.parametrize("case", DATA)
def test_broken_data_is_refused_with_its_place(tmp_path, case):
    change, where, what = DATA[case]
    folder = write_toolbench(tmp_path / "data")
    change(folder)
    with pytest.raises((UsageError, FormatError)) as caught:
        gather(Sources(folders=(folder,)))
    assert where in caught.value.where
    assert what in caught.value.what


def own_queries(folder, line):
    file = folder / "queries.jsonl"
    file.write_text(f"{line}\n")
    return Sources(tools=[tool_spec("rain"), tool_spec("snow")], queries=(file,))


SOURCES = {
    "nothing": (lambda folder: Sources(), "no tools to learn"),
    "no such folder": (lambda folder: Sources(folders=(folder / "none",)), "no such folder"),
    "one tool": (lambda folder: Sources(tools=[tool_spec("rain")]), "too few"),
    "a tool that is not in the catalog": (
        lambda folder: own_queries(folder, '{"query": "hail", "tools": ["hail"]}'),
        "no such tool",
    ),
    "a line that is no object": (lambda folder: own_queries(folder, "[1]"), "not a JSON object"),
    "a query without tools": (lambda folder: own_queries(folder, '{"query": "x"}'), "no 'tools'"),
    "an unknown label": (lambda folder: Sources(runs=(folder,), include=("nobody",)), "label"),
    "a run that is none": (lambda folder: Sources(runs=(folder,)), "cannot read"),
}


@pytest.mark.parametrize("case", SOURCES)
def test_sources_that_make_no_sense_are_refused(tmp_path, case):
    make, what = SOURCES[case]
    with pytest.raises(ToolhaftError) as caught:
        gather(make(tmp_path))
    assert what in caught.value.what


SETTINGS = {
    "batch=1": "batch",
    "batch=many": "batch",
    "epochs=0": "epochs",
    "epochs=nan": "epochs",
    "learning_rate=inf": "learning_rate",
    "learning_rate=-1": "learning_rate",
    "hold_out=0.9": "hold_out",
    "precision=float8": "precision",
    "negatives=elsewhere": "negatives",
    "negatives=": "negatives",
    "symmetric=perhaps": "symmetric",
    "sentences=1": "sentences",
    "repeats=101": "repeats",
    "share=0": "share",
    "share=1.5": "share",
    "speed=9": "no setting",
    "batch": "no setting",
}


@pytest.mark.parametrize("word", SETTINGS)
def test_settings_that_make_no_sense_are_refused(word):
    with pytest.raises(UsageError, match=SETTINGS[word]):
        RetrieverSettings.from_words([word])


def test_an_unknown_preset_is_refused():
    with pytest.raises(UnknownNameError, match="toollm"):
        RetrieverSettings.from_words([], "toollm")


def no_encoder(folder):
    folder.mkdir()
    return folder


def pickled(folder):
    folder.mkdir()
    (folder / "config.json").write_text('{"hidden_size": 16}')
    (folder / "pytorch_model.bin").write_bytes(b"\x80\x04")
    return folder


def with_code(folder):
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({"hidden_size": 16, "auto_map": {"AutoModel": "x.X"}}))
    return folder


ENCODERS = {
    "a folder that holds none": (no_encoder, "cannot be read"),
    "a pickle": (pickled, "no model.safetensors"),
    "code of its own": (with_code, "code of its own"),
    "no folder": (lambda folder: folder, "no such folder"),
}


@pytest.mark.parametrize("case", ENCODERS)
def test_a_base_that_is_no_encoder_is_refused(tmp_path, case):
    make, what = ENCODERS[case]
    with pytest.raises(ConfigError, match=what):
        train_retriever(make_set(), tmp_path / "out", model=make(tmp_path / "encoder"))


def test_one_query_is_too_few(tiny_encoder, tmp_path):
    learning = make_set()
    alone = type(learning)(tools=learning.tools, queries=learning.queries[:1])
    with pytest.raises(UsageError, match="too few to learn"):
        train_retriever(alone, tmp_path / "out", RetrieverSettings(hold_out=0.0), model=tiny_encoder)


def test_tools_without_words_make_no_queries():
    silent = [tool_spec(" ", description="", parameters={}), tool_spec("", description="")]
    with pytest.raises(UsageError, match="no query can be made"):
        make_queries(type(make_set())(tools=tuple(silent), queries=()), 5)


def test_a_loss_that_is_no_number_ends_training(tiny_encoder, tmp_path):
    settings = RetrieverSettings(learning_rate=1e30, clip=1e30, epochs=20, hold_out=0.0, precision="float32")
    with pytest.raises(ModelError, match="the loss is nan at step"):
        train_retriever(make_set(), tmp_path / "out", settings, model=tiny_encoder)


def test_weights_that_give_no_numbers_are_told_of(tiny_encoder, tmp_path):
    import shutil

    from safetensors.torch import load_file, save_file

    folder = tmp_path / "encoder"
    shutil.copytree(tiny_encoder, folder)
    weights = load_file(folder / "model.safetensors")
    weights["embeddings.LayerNorm.weight"][:] = float("nan")
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(UsageError, match="gives no numbers"):
        train_retriever(make_set(), tmp_path / "out", model=folder)


def test_what_an_earlier_run_left_is_not_overwritten_or_mixed(tiny_encoder, tmp_path):
    settings = RetrieverSettings(epochs=0.3, hold_out=0.0, batch=8)
    train_retriever(make_set(), tmp_path / "out", settings, model=tiny_encoder)
    with pytest.raises(UsageError, match="checkpoints of an earlier run"):
        train_retriever(make_set(), tmp_path / "out", settings, model=tiny_encoder)
    changed = RetrieverSettings(epochs=0.3, hold_out=0.0, batch=8, scale=10.0)
    with pytest.raises(UsageError, match=r"begun otherwise: scale \(20.0 before\)"):
        train_retriever(make_set(), tmp_path / "out", changed, model=tiny_encoder, resume=True)
    (place,) = (tmp_path / "out/checkpoints").iterdir()
    (place / "optimizer.safetensors").write_bytes(b"torn")
    with pytest.raises(FormatError, match="damaged"):
        train_retriever(make_set(), tmp_path / "out", settings, model=tiny_encoder, resume=True)


def test_an_output_that_cannot_be_is_refused(tiny_encoder, tmp_path):
    (tmp_path / "file").write_text("x")
    for output, what in (
        (tmp_path / "file", "a file"),
        (tmp_path / "file/below", "cannot be made"),
        (Path(tiny_encoder), "own folder"),
    ):
        with pytest.raises(UsageError, match=what):
            train_retriever(make_set(), output, model=tiny_encoder)


@pytest.mark.parametrize(
    ("teacher", "kind", "what"),
    [
        ("none", "kl", "no such folder"),
        (None, "kl", "without a teacher"),
        ("none", "none", "no distillation"),
    ],
    ids=["absent", "unnamed", "unasked"],
)
def test_a_teacher_that_is_none_is_refused(tiny_encoder, tmp_path, teacher, kind, what):
    named = tmp_path / teacher if teacher else None
    with pytest.raises(UsageError, match=what):
        train_retriever(
            make_set(),
            tmp_path / "out",
            RetrieverSettings(distillation=kind),
            model=tiny_encoder,
            teacher=named,
        )


FULL = """
import resource, signal, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from training_sets import make_set
from toolhaft_dense.training.running import train_retriever
from toolhaft_dense.training.settings import RetrieverSettings
from toolhaft.errors import UsageError

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
try:
    train_retriever(make_set(), Path(sys.argv[3]), RetrieverSettings(epochs=0.3), model=sys.argv[2])
except UsageError as error:
    print(error)
"""


@pytest.mark.skipif(not hasattr(resource, "RLIMIT_FSIZE"), reason="files cannot be bounded here")
def test_a_full_disk_is_told_of_and_nothing_half_written_stays(tiny_encoder, tmp_path):
    output = tmp_path / "out"
    words = [str(Path(__file__).parent), str(tiny_encoder), str(output)]
    done = subprocess.run(
        [sys.executable, "-c", FULL, *words], capture_output=True, text=True, timeout=200, check=False
    )
    assert "cannot be written" in done.stdout, done.stderr
    assert "Make room" in done.stdout
    assert not list((output / "checkpoints").iterdir())
    assert not (output / "model").exists()


@pytest.mark.parametrize("resume", [False, True])
@pytest.mark.parametrize("taken", ["model/mine.txt", "README.md"])
def test_a_folder_of_somebodys_own_is_not_written_over(tiny_encoder, tmp_path, taken, resume):
    own = tmp_path / taken
    own.parent.mkdir(exist_ok=True)
    own.write_text("mine")
    with pytest.raises(UsageError, match="already"):
        train_retriever(
            make_set(), tmp_path, RetrieverSettings(epochs=0.1), model=tiny_encoder, resume=resume
        )
    assert own.read_text() == "mine"

"""What the tests of this plugin share; they also run alone, away from the repository."""

import itertools
import os
from pathlib import Path

import pytest

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")


@pytest.fixture(scope="session")
def anyio_backend():
    """Run async tests on asyncio."""
    return "asyncio"


@pytest.fixture(scope="session")
def shared():
    """The folder of real data, where there is one."""
    root = Path(__file__).resolve().parents[3]
    folder = Path(os.environ.get("TOOLHAFT_SHARED", root / "../shared")).resolve() / "data"
    if not folder.is_dir():
        pytest.skip(f"no real data at {folder}: set TOOLHAFT_SHARED")
    return folder


@pytest.fixture(scope="session")
def homes(tmp_path_factory):
    """Places for homes that nobody made: most tests need no folder, and a folder each takes its time."""
    folder = tmp_path_factory.mktemp("homes")
    return (folder / str(number) for number in itertools.count())


@pytest.fixture(autouse=True)
def own_home(request, homes, monkeypatch):
    """Keep the user's settings, keys and kept vectors out of the tests."""
    asked = "tmp_path" in request.fixturenames
    home = request.getfixturevalue("tmp_path") / "home" if asked else next(homes)
    monkeypatch.setenv("TOOLHAFT_HOME", str(home))
    for name in ("TOOLHAFT_MODEL", "OPENAI_API_KEY", "OPENAI_BASE_URL", "TOOLHAFT_DISABLE_PLUGINS"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="session")
def tiny_encoder(tmp_path_factory):
    """A random encoder of 16 numbers a vector, in the layout of sentence-transformers."""
    import json

    import torch
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    folder = tmp_path_factory.mktemp("encoders") / "tiny"
    letters = "abcdefghijklmnopqrstuvwxyz0123456789.,:"
    marks = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    known = [*marks, *letters, *(f"##{letter}" for letter in letters)]
    written = Tokenizer(models.WordPiece({piece: n for n, piece in enumerate(known)}, unk_token="[UNK]"))
    written.normalizer = normalizers.BertNormalizer(lowercase=True)
    written.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    written.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=written, pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]", sep_token="[SEP]"
    )
    torch.manual_seed(0)
    model = BertModel(
        BertConfig(
            vocab_size=len(known),
            hidden_size=16,
            num_hidden_layers=1,
            num_attention_heads=2,
            intermediate_size=32,
            max_position_embeddings=128,
        )
    )
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    kind = "sentence_transformers.models"
    (folder / "modules.json").write_text(
        json.dumps(
            [
                {"idx": 0, "name": "0", "path": "", "type": f"{kind}.Transformer"},
                {"idx": 1, "name": "1", "path": "1_Pooling", "type": f"{kind}.Pooling"},
                {"idx": 2, "name": "2", "path": "2_Normalize", "type": f"{kind}.Normalize"},
            ]
        )
    )
    (folder / "1_Pooling").mkdir()
    (folder / "1_Pooling/config.json").write_text(
        json.dumps({"word_embedding_dimension": 16, "pooling_mode_mean_tokens": True})
    )
    (folder / "sentence_bert_config.json").write_text(json.dumps({"max_seq_length": 64}))
    return folder

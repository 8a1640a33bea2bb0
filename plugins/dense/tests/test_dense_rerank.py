"""The re-ranker ``cross-encoder``, with a tiny one that is trained here within seconds on made-up pairs."""

import json
import random
import shutil
from dataclasses import dataclass

import pytest

from toolhaft.errors import ConfigError, UsageError
from toolhaft.hooks import Registry
from toolhaft.testing import check_reranker, tool_spec
from toolhaft.types import Scored
from toolhaft_dense.rerank import CrossEncoder

pytestmark = [pytest.mark.slow, pytest.mark.anyio]

TOPICS = (
    ("weather", "forecast", "sun", "rain"),
    ("money", "account", "transfer", "bank"),
    ("train", "station", "ticket", "seat"),
    ("dish", "recipe", "oven", "salt"),
)
HITS = [
    Scored(tool_spec(name, description=words), 4.0 - place)
    for place, (name, words) in enumerate(
        {
            "pay": "bank account money",
            "sky": "weather sun rain",
            "ride": "train station",
            "cook": "recipe oven",
        }.items()
    )
]


def make_tokenizer(words):
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    known = {word: number for number, word in enumerate(words)}
    written = Tokenizer(models.WordPiece(known, unk_token="[UNK]"))
    written.normalizer = normalizers.BertNormalizer(lowercase=True)
    written.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    written.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", 2), ("[SEP]", 3)],
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=written,
        pad_token="[PAD]",
        unk_token="[UNK]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        model_input_names=["input_ids", "token_type_ids", "attention_mask"],
    )


@pytest.fixture(scope="session")
def trained(tmp_path_factory):
    """A BERT of two layers that scores high where query and text are of one topic."""
    import torch
    from transformers import BertConfig, BertForSequenceClassification

    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *(word for topic in TOPICS for word in topic), ".", ":"]
    tokenizer = make_tokenizer(words)
    torch.manual_seed(0)
    model = BertForSequenceClassification(
        BertConfig(
            vocab_size=len(words),
            hidden_size=32,
            num_hidden_layers=2,
            num_attention_heads=4,
            intermediate_size=64,
            max_position_embeddings=64,
            initializer_range=0.1,
            num_labels=1,
            hidden_dropout_prob=0.0,
            attention_probs_dropout_prob=0.0,
        )
    )
    with torch.no_grad():  # words of one topic begin near each other, so that little is left to learn
        for place in range(len(TOPICS)):
            near = 0.3 * torch.randn(32) + 0.05 * torch.randn(4, 32)
            model.bert.embeddings.word_embeddings.weight[4 * place + 4 : 4 * place + 8] = near
    chance = random.Random(0)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    for _ in range(120):
        queries, texts, same = [], [], []
        for _ in range(32):
            topic, other = chance.sample(TOPICS, 2)
            same.append(float(chance.random() < 0.5))
            words = chance.sample(topic if same[-1] else other, chance.choice((2, 3)))
            queries.append(" ".join(chance.sample(topic, chance.choice((1, 2)))))
            texts.append(f"tool: {' '.join(words)}.")
        scores = model(**tokenizer(queries, texts, padding=True, return_tensors="pt")).logits[:, 0]
        loss = torch.nn.functional.binary_cross_entropy_with_logits(scores, torch.tensor(same))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    folder = tmp_path_factory.mktemp("cross-encoders") / "tiny"
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@dataclass
class Copy:
    """A copy of the trained folder to damage."""

    folder: object

    def config(self, **changes):
        file = self.folder / "config.json"
        file.write_text(json.dumps(json.loads(file.read_text()) | changes))

    def weights(self, change):
        from safetensors.numpy import load_file, save_file

        file = self.folder / "model.safetensors"
        found = load_file(file)
        change(found)
        save_file(found, file, metadata={"format": "pt"})


@pytest.fixture
def copy(trained, tmp_path):
    return Copy(shutil.copytree(trained, tmp_path / "copy"))


@pytest.mark.parametrize(
    ("query", "name"),
    [("forecast rain", "sky"), ("transfer money", "pay"), ("ticket seat", "ride"), ("salt dish", "cook")],
)
async def test_it_puts_the_topic_of_the_query_first(trained, query, name):
    found = await CrossEncoder(model=trained).rerank(query, HITS)
    assert found[0].item.name == name
    assert found[0].score > 0 > found[1].score


async def test_it_keeps_the_contract_and_is_chosen_by_name(trained):
    registry = Registry.load()
    assert await check_reranker(registry.reranker("cross-encoder", model=trained)) == []
    found = registry.retriever("reranked", reranker={"cross-encoder": {"model": trained}}, depth=3)
    await found.index([hit.item for hit in HITS])
    assert [hit.item.name for hit in await found.retrieve("account for the rain, rain", 1)] == ["sky"]
    await found.close()


async def test_torch_and_onnx_agree_and_int8_nearly(trained):
    scores = {}
    for runtime, precision in (("torch", "fp32"), ("onnx", "fp32"), ("onnx", "int8")):
        made = CrossEncoder(model=str(trained), runtime=runtime, precision=precision, threads=1)
        scores[runtime, precision] = {hit.item.name: hit.score for hit in await made.rerank("sun", HITS)}
    assert scores["onnx", "fp32"] == pytest.approx(scores["torch", "fp32"], abs=1e-4)
    assert scores["onnx", "int8"] == pytest.approx(scores["torch", "fp32"], abs=0.5)


async def test_batches_do_not_change_scores_beyond_rounding(trained):
    hits = [Scored(tool_spec(f"t{n}", description="rain " * (n % 7)), 0.0) for n in range(60)]
    found = [
        {
            hit.item.name: hit.score
            for hit in await CrossEncoder(model=trained, batch_tokens=size).rerank("rain", hits)
        }
        for size in (1, 100, 1_000_000)
    ]
    assert found[0] == pytest.approx(found[1], abs=1e-4)
    assert found[0] == pytest.approx(found[2], abs=1e-4)


async def test_odd_queries_and_tools_are_scored(trained):
    made = CrossEncoder(model=trained)
    hits = [
        *HITS,
        Scored(tool_spec("long", description="rain " * 3_000), 0.0),
        Scored(tool_spec("bare"), 0.0),
    ]
    for query in ("", "天气", "x" * 100_000, "rain \ud800 \x00"):
        assert len(await made.rerank(query, hits)) == 6
    assert await made.rerank("rain", ()) == []
    with pytest.raises(UsageError, match="1,001 tools are to be re-ranked"):
        await made.rerank("rain", HITS[:1] * 1_001)
    await made.close()
    assert (await made.rerank("rain", HITS))[0].item.name == "sky"


CONFIGS = {
    "an encoder": ({"architectures": ["BertModel"]}, "not a sequence classifier"),
    "no architecture": ({"architectures": None}, "not a sequence classifier"),
    "two outputs": ({"id2label": {"0": "no", "1": "yes"}}, "has 2 outputs"),
    "code of its own": ({"auto_map": {"AutoModel": "evil.Evil"}}, "never run"),
    "no width": ({"hidden_size": None}, "how wide"),
}


@pytest.mark.parametrize("case", CONFIGS)
async def test_a_model_of_another_kind_is_refused_before_it_is_loaded(copy, case):
    changes, says = CONFIGS[case]
    copy.config(**changes)
    with pytest.raises(ConfigError, match=says):
        CrossEncoder(model=copy.folder)


WEIGHTS = {
    "no classifier": (lambda found: found.pop("classifier.weight"), "classifier.weight"),
    "a bias of two": (
        lambda found: found.update({"classifier.bias": found["classifier.bias"].repeat(2)}),
        "classifier|cannot be loaded",
    ),
    "a classifier of two": (
        lambda found: found.update({"classifier.weight": found["classifier.weight"].repeat(2, axis=0)}),
        "classifier|cannot be loaded",
    ),
    "no pooler": (lambda found: found.pop("bert.pooler.dense.weight"), "pooler.dense.weight"),
}


@pytest.mark.parametrize("runtime", ["onnx", "torch"])
@pytest.mark.parametrize("case", WEIGHTS)
async def test_damaged_weights_are_one_clear_error(copy, case, runtime):
    change, says = WEIGHTS[case]
    copy.weights(change)
    with pytest.raises(ConfigError, match=says) as caught:
        await CrossEncoder(model=copy.folder, runtime=runtime).rerank("rain", HITS)
    assert str(copy.folder) in str(caught.value)


async def test_weights_that_are_no_numbers(copy):
    copy.weights(lambda found: found["classifier.weight"].fill(float("nan")))
    for runtime in ("onnx", "torch"):
        with pytest.raises((UsageError, ConfigError), match="no numbers"):
            await CrossEncoder(model=copy.folder, runtime=runtime).rerank("rain", HITS)


async def test_a_model_of_single_texts_is_refused(copy):
    copy.config(type_vocab_size=1)
    copy.weights(
        lambda found: found.update(
            {
                "bert.embeddings.token_type_embeddings.weight": found[
                    "bert.embeddings.token_type_embeddings.weight"
                ][:1]
            }
        )
    )
    with pytest.raises(ConfigError, match="no second part of a pair"):
        await CrossEncoder(model=copy.folder, runtime="onnx").rerank("rain", HITS)


async def test_files_that_are_junk(copy):
    (copy.folder / "model.safetensors").write_bytes(b"\xff" * 100)
    for runtime in ("onnx", "torch"):
        with pytest.raises(ConfigError, match="cannot be loaded"):
            await CrossEncoder(model=copy.folder, runtime=runtime).rerank("rain", HITS)
    (copy.folder / "model.safetensors").unlink()
    with pytest.raises(ConfigError, match=r"no model\.safetensors"):
        CrossEncoder(model=copy.folder)

"""Models that lie on this machine, run as tools: built tiny from a configuration, with random weights."""

import io
import json

import pytest

from toolhaft import Agent, open_catalog
from toolhaft.errors import ToolError
from toolhaft.testing import ScriptedModel
from toolhaft.tools.artifacts import ArtifactStore
from toolhaft.types import ToolCall

pytestmark = pytest.mark.slow

CALL = ToolCall(id="1", name="daylight", arguments={"image": "img-1", "top_k": 1})
CARD = """---
pipeline_tag: text-classification
license: apache-2.0
model-index:
- name: moods
  results:
  - dataset: {name: Moods-3}
    metrics: [{type: accuracy, value: 0.5}]
---
# Moods

Says in what mood a text was written.
"""


@pytest.fixture(scope="session")
def models(tmp_path_factory):
    """A folder with a text classifier and an image classifier."""
    torch = pytest.importorskip("torch")
    import transformers
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import Whitespace

    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("models")
    words = {
        word: number for number, word in enumerate(["[PAD]", "[UNK]", "i", "am", "glad", "sad", "angry"])
    }
    written = Tokenizer(WordLevel(words, unk_token="[UNK]"))
    written.pre_tokenizer = Whitespace()
    tokenizer = transformers.PreTrainedTokenizerFast(
        tokenizer_object=written, pad_token="[PAD]", unk_token="[UNK]", model_max_length=32
    )
    small = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
    bert = transformers.BertConfig(
        vocab_size=len(words), max_position_embeddings=32, id2label={0: "glad", 1: "sad", 2: "angry"}, **small
    )
    transformers.BertForSequenceClassification(bert).save_pretrained(folder / "moods")
    tokenizer.save_pretrained(folder / "moods")
    (folder / "moods/README.md").write_text(CARD, encoding="utf-8")
    vit = transformers.ViTConfig(image_size=32, patch_size=16, id2label={0: "day", 1: "night"}, **small)
    transformers.ViTForImageClassification(vit).save_pretrained(folder / "daylight")
    transformers.ViTImageProcessor(size={"height": 32, "width": 32}).save_pretrained(folder / "daylight")
    return folder


def picture(colour=(200, 30, 30), size=(40, 30)):
    from PIL import Image

    data = io.BytesIO()
    Image.new("RGB", size, colour).save(data, "PNG")
    return data.getvalue()


def test_a_text_classifier_runs(models):
    catalog = open_catalog(f"hub:{models}")
    assert sorted(catalog) == ["daylight", "moods"]
    spec = catalog.spec("moods")
    assert "Labels: glad, sad, angry" in spec.description
    assert "Says in what mood a text was written" in spec.description
    facts = spec.metadata["hub"]
    assert (facts["task"], facts["license"], facts["metrics"][0]["value"]) == (
        "text-classification",
        "apache-2.0",
        0.5,
    )
    assert 1000 < facts["parameters"] < 10_000
    answers = catalog.call_sync("moods", text="i am glad", top_k=3)["answers"]
    assert {answer["label"] for answer in answers} == {"glad", "sad", "angry"}
    assert sum(answer["score"] for answer in answers) == pytest.approx(1.0, abs=1e-5)
    assert answers == catalog.call_sync("moods", text="i am glad", top_k=3)["answers"]
    assert len(catalog.call_sync("moods", text="i am sad " * 500, top_k=1)["answers"]) == 1


@pytest.mark.anyio
async def test_an_image_classifier_runs_in_a_rollout(models, tmp_path):
    file = tmp_path / "photo.png"
    file.write_bytes(picture())
    model = ScriptedModel(CALL, "It is one of the two.")
    from toolhaft.agent import load_catalog

    agent = Agent([await load_catalog(f"hub:{models}")], model=model)
    run = await agent.run("Is it day in the photo?", artifacts=[file])
    (observation,) = run.trajectory.observations()
    assert observation.error is None
    (answer,) = observation.value()["answers"]
    assert answer["label"] in ("day", "night")
    assert 0.5 <= answer["score"] <= 1


def test_the_model_used_longest_ago_is_let_go_for_another(models):
    from toolhaft_hub.model_folder import read_folder
    from toolhaft_hub.pictures import read_picture
    from toolhaft_hub.shelf import Shelf

    moods, daylight = read_folder(models / "moods"), read_folder(models / "daylight")
    shelf = Shelf(memory=max(moods.bytes, daylight.bytes))
    assert shelf.held == ()
    shelf.ask(moods, "i am glad", {})
    assert shelf.held == (str(moods.path),)
    shelf.ask(daylight, read_picture(picture()), {})
    assert shelf.held == (str(daylight.path),)
    both = Shelf(memory=moods.bytes + daylight.bytes)
    both.ask(moods, "i am glad", {})
    both.ask(daylight, read_picture(picture()), {})
    assert len(both.held) == 2
    both.close()
    assert both.held == ()
    with pytest.raises(ToolError, match="more than there is room for"):
        Shelf(memory=10).ask(moods, "i", {})


def copied(models, tmp_path, name="moods"):
    import shutil

    return shutil.copytree(models / name, tmp_path / name)


def test_weights_that_are_missing_are_not_made_up(models, tmp_path):
    from safetensors.torch import load_file, save_file

    folder = copied(models, tmp_path)
    weights = load_file(folder / "model.safetensors")
    del weights["classifier.weight"]
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ToolError, match="weights are missing, for example classifier"):
        open_catalog(f"hub:{folder}").call_sync("moods", text="i am glad")


def test_a_configuration_that_asks_for_more_than_there_is_is_refused(models, tmp_path):
    folder = copied(models, tmp_path)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "intermediate_size": 1_000_000}))
    with pytest.raises(ToolError, match="its files hold"):
        open_catalog(f"hub:{folder}").call_sync("moods", text="i am glad")


@pytest.mark.parametrize("text", ["nonsense", "{}", '{"model": {"type": "Nonsense"}}'])
def test_a_tokenizer_that_is_damaged_is_one_clear_error(models, tmp_path, text):
    folder = copied(models, tmp_path)
    (folder / "tokenizer.json").write_text(text, encoding="utf-8")
    with pytest.raises(ToolError, match="'moods' cannot be loaded"):
        open_catalog(f"hub:{folder}").call_sync("moods", text="i am glad")


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"", "cannot be read"),
        (b"no image", "cannot be read"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "cannot be read"),
        (picture()[:60], "cannot be read"),
    ],
    ids=range(4),
)
def test_a_picture_that_is_none_is_refused(data, what):
    from toolhaft_hub.pictures import read_picture

    with pytest.raises(ToolError, match=what):
        read_picture(data, "x.png")


def test_a_picture_beyond_the_limit_is_refused_before_it_is_decoded():
    from toolhaft_hub.pictures import read_picture

    with pytest.raises(ToolError, match="7000x6000 pixels"):
        read_picture(picture(size=(7000, 6000)), "x.png")


def test_a_picture_from_python_is_taken_too(models, tmp_path):
    store = ArtifactStore()
    artifact = store.put(picture(), media_type="image/png", name="x.png")
    assert artifact.size > 0
    file = tmp_path / "x.png"
    file.write_bytes(picture())
    answers = open_catalog(f"hub:{models}").call_sync("daylight", image=file)["answers"]
    assert {answer["label"] for answer in answers} == {"day", "night"}

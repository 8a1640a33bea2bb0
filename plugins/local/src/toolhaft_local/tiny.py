"""A tiny random model, made on the spot: for tests, measurements and first steps without a download.

It has learned nothing, so what it says is noise; everything around it is real.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from toolhaft.errors import UsageError
from toolhaft_local.loading import quiet

TEMPLATE = """\
{%- if tools %}<|im_start|>system
{% if messages[0].role == 'system' %}{{ messages[0].content }}

{% endif %}Tools:
{% for tool in tools %}{{ tool.function | tojson }}
{% endfor %}A call is written <tool_call>{"name": ..., "arguments": {...}}</tool_call>.<|im_end|>
{% elif messages[0].role == 'system' %}<|im_start|>system
{{ messages[0].content }}<|im_end|>
{% endif %}
{%- for message in messages if message.role != 'system' %}
{%- if message.role == 'assistant' %}<|im_start|>assistant
{% generation %}{{ message.content }}
{%- for call in message.tool_calls or [] %}
<tool_call>
{{ {'name': call.function.name, 'arguments': call.function.arguments} | tojson }}
</tool_call>
{%- endfor %}<|im_end|>{% endgeneration %}
{% elif message.role == 'tool' %}<|im_start|>user
<tool_response>
{{ message.content }}
</tool_response><|im_end|>
{% else %}<|im_start|>user
{{ message.content }}<|im_end|>
{% endif %}
{%- endfor %}
{%- if add_generation_prompt %}<|im_start|>assistant
{% endif %}"""
"""A chat template with tools, in the layout that many open models use."""

_SPECIAL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
_MARKERS = ("<tool_call>", "</tool_call>", "<tool_response>", "</tool_response>")
_CORPUS = (
    '{"name": "get_weather", "arguments": {"city": "Oslo", "days": 2, "metric": true}}',
    '{"type": "object", "properties": {"id": {"type": "string"}}, "required": ["id"]}',
    "The weather in Oslo is rainy today; take an umbrella with you.",
    "Call a tool, read what comes back, and answer the question in one sentence.",
)


def write_tiny_model(
    folder: Path,
    *,
    seed: int = 0,
    hidden: int = 64,
    layers: int = 2,
    context: int = 8_192,
    vocabulary: int = 400,
    template: str | None = TEMPLATE,
    corpus: Sequence[str] = (),
) -> Path:
    """Write a random Llama of some 100,000 weights, with a byte-level tokenizer, and return its folder.

    Args:
        folder: Made if it is not there; must hold no other model.
        seed: For the weights.
        hidden: Width, a multiple of 4.
        layers: How many.
        context: Tokens it reads.
        vocabulary: Tokens it knows, at least 300.
        template: Chat template; None writes none.
        corpus: More texts that the tokenizer learns from; a large vocabulary needs them.

    Raises:
        UsageError: The folder holds a model already, or a size makes no sense.
    """
    if (folder / "config.json").exists():
        raise UsageError("the folder holds a model already", where=str(folder), hint="Name a new one")
    if hidden < 4 or hidden % 4 or layers < 1 or vocabulary < 300 or context < 1:
        raise UsageError("the model's sizes make no sense", hint="See the docstring of write_tiny_model")
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    tokenizer = _train_tokenizer(vocabulary, template, corpus=corpus)
    ends = tokenizer.convert_tokens_to_ids("<|im_end|>")
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=hidden,
        intermediate_size=2 * hidden,
        num_hidden_layers=layers,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=context,
        eos_token_id=ends,
        bos_token_id=None,
        pad_token_id=tokenizer.pad_token_id,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = LlamaForCausalLM(config)
    folder.mkdir(parents=True, exist_ok=True)
    with quiet():
        model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def _train_tokenizer(
    vocabulary: int,
    template: str | None,
    *,
    markers: tuple[str, ...] = _MARKERS,
    corpus: Sequence[str] = (),
) -> Any:
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    written = Tokenizer(models.BPE())
    written.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    written.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary - len(markers),
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        special_tokens=list(_SPECIAL),
        show_progress=False,
    )
    written.train_from_iterator(
        [*_CORPUS, *(json.dumps(line) for line in _CORPUS)] * 4 + list(corpus), trainer
    )
    written.add_tokens([AddedToken(marker, special=False, normalized=False) for marker in markers])
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=written, eos_token="<|im_end|>", pad_token="<|endoftext|>"
    )
    tokenizer.chat_template = template
    return tokenizer

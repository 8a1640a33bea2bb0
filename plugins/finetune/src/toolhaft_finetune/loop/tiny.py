"""A small model with a tokenizer trained on the spot, made so that values can be copied.

A value must be the same tokens in an instruction and between the quotes of a call. So blanks and signs are
tokens of their own and never part of a word, words begin anew at capitals, and digits stand in pairs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from toolhaft_finetune.folder import quiet
from toolhaft_finetune.loop.settings import LoopSettings

TEMPLATE = """\
{%- for tool in tools or [] %}<|tool|>{{ tool.function.name }}(
{%- set required = tool.function.parameters.required or [] %}
{%- for name, schema in (tool.function.parameters.properties or {}).items() if name[0] == name[0] | lower %}
{{- ',' if not loop.first }}{{ name }}{{ '' if name in required else '?' }}
{{- ':' + schema.enum | join('|') if schema.enum is defined }}
{%- endfor %}){% endfor %}
{%- for message in messages if message.role != 'system' %}
{%- if message.role == 'user' %}<|user|>{{ message.content }}
{%- elif message.role == 'tool' %}<|result|>{{ message.content[:RESULT] }}
{%- else %}<|assistant|>{% generation %}{{ message.content }}
{%- for call in message.tool_calls or [] %}<tool_call>
{{- {'name': call.function.name, 'arguments': call.function.arguments} | tojson }}</tool_call>
{%- endfor %}<|end|>{% endgeneration %}
{%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}<|assistant|>{% endif %}""".replace("RESULT", "160")
"""Tools as name and parameters, optional ones marked; of a result the beginning."""

_SPECIAL = ("<|pad|>", "<|tool|>", "<|user|>", "<|assistant|>", "<|result|>", "<|end|>")
_MARKERS = ("<tool_call>", "</tool_call>")
_PIECES = r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d{1,2}|[^A-Za-z0-9]+"
_CONTEXT = 1024


def write_base(folder: Path, texts: Iterable[str], settings: LoopSettings) -> Mapping[str, int]:
    """Write a random model with a tokenizer trained on the texts, and return its sizes.

    Args:
        folder: Made if it is not there.
        texts: What the tokenizer is trained on.
        settings: Vocabulary, width, layers and seed.
    """
    import torch
    from transformers import Lfm2Config, Lfm2ForCausalLM

    tokenizer = _train_tokenizer(texts, settings.vocabulary)
    heads = settings.width // 32
    config = Lfm2Config(
        vocab_size=len(tokenizer),
        hidden_size=settings.width,
        intermediate_size=3 * settings.width,
        block_auto_adjust_ff_dim=False,
        num_hidden_layers=settings.layers,
        layer_types=[("conv", "full_attention")[place % 2] for place in range(settings.layers)],
        num_attention_heads=heads,
        num_key_value_heads=heads,
        max_position_embeddings=_CONTEXT,
        tie_word_embeddings=True,
        pad_token_id=tokenizer.pad_token_id,
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.seed)
        model = Lfm2ForCausalLM(config)
    folder.mkdir(parents=True, exist_ok=True)
    with quiet():
        model.save_pretrained(str(folder), safe_serialization=True)
    tokenizer.save_pretrained(str(folder))
    return {"parameters": model.num_parameters(), "vocabulary": len(tokenizer)}


def _train_tokenizer(texts: Iterable[str], vocabulary: int) -> Any:
    from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(_PIECES), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    made.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary - len(_MARKERS),
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        special_tokens=list(_SPECIAL),
        show_progress=False,
    )
    made.train_from_iterator(texts, trainer)
    made.add_tokens([AddedToken(marker, special=False, normalized=False) for marker in _MARKERS])
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=made, eos_token="<|end|>", pad_token="<|pad|>")
    tokenizer.chat_template = TEMPLATE
    return tokenizer

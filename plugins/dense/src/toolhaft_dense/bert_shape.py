"""What a folder's configuration says of its architecture, as far as it is BERT's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from toolhaft.errors import ConfigError

Activation = Literal["gelu", "tanh-gelu", "relu"]
_ACTIVATIONS: Mapping[str, Activation] = {
    "gelu": "gelu",
    "gelu_new": "tanh-gelu",
    "gelu_pytorch_tanh": "tanh-gelu",
    "relu": "relu",
}
_MOST = {
    "hidden_size": 8_192,
    "num_hidden_layers": 96,
    "num_attention_heads": 128,
    "intermediate_size": 32_768,
    "vocab_size": 1_000_000,
    "max_position_embeddings": 65_536,
    "type_vocab_size": 64,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class BertShape:
    """Sizes of a BERT encoder, checked to be of this world.

    Attributes:
        width: Numbers in a token's vector.
        inner: Those between the two matrices of a feed-forward part.
        vocabulary: Word pieces known.
        positions: Tokens of the longest text.
        kinds: Token types: 2 tell the parts of a pair.
        epsilon: Of the layer norms.
    """

    width: int
    layers: int
    heads: int
    inner: int
    vocabulary: int
    positions: int
    kinds: int
    epsilon: float
    activation: Activation


def read_shape(config: Mapping[str, Any], where: str) -> BertShape | str:
    """Return the sizes, or in words why this is no BERT that can be rebuilt from its numbers.

    Args:
        config: Content of a ``config.json``; nobody has checked it.
        where: Its file, for errors.

    Raises:
        ConfigError: It claims to be a BERT, and a size is missing or beyond all measure.
    """
    kind = config.get("model_type")
    if kind != "bert":
        return f"the architecture is {str(kind)[:60]!r}, not 'bert'"
    if config.get("position_embedding_type", "absolute") != "absolute" or config.get("is_decoder"):
        return "its positions or its attention are not those of the first BERT"
    activation = _ACTIVATIONS.get(str(config.get("hidden_act", "gelu")))
    if activation is None:
        return f"its activation is {str(config.get('hidden_act'))[:60]!r}"
    sizes = {name: _size(config, name, most, where) for name, most in _MOST.items()}
    if sizes["hidden_size"] % sizes["num_attention_heads"]:
        raise ConfigError(
            "the width is no multiple of the number of attention heads",
            where=f"{where}#/num_attention_heads",
            hint="Download the encoder anew",
        )
    return BertShape(
        width=sizes["hidden_size"],
        layers=sizes["num_hidden_layers"],
        heads=sizes["num_attention_heads"],
        inner=sizes["intermediate_size"],
        vocabulary=sizes["vocab_size"],
        positions=sizes["max_position_embeddings"],
        kinds=sizes["type_vocab_size"],
        epsilon=_epsilon(config, where),
        activation=activation,
    )


def _size(config: Mapping[str, Any], name: str, most: int, where: str) -> int:
    value = config.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= most:
        raise ConfigError(
            f"{name} is {repr(value)[:60]}",
            where=f"{where}#/{name}",
            hint=f"It must be a whole number from 1 to {most:,}; download the encoder anew",
        )
    return value


def _epsilon(config: Mapping[str, Any], where: str) -> float:
    value = config.get("layer_norm_eps", 1e-12)
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 < value < 1:
        raise ConfigError(
            f"layer_norm_eps is {repr(value)[:60]}",
            where=f"{where}#/layer_norm_eps",
            hint="It must lie between 0 and 1; download the encoder anew",
        )
    return float(value)

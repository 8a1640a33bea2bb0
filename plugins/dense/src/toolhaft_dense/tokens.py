"""Texts into the numbers of their word pieces."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from toolhaft.errors import ConfigError, ToolhaftError
from toolhaft.text import clean
from toolhaft.tools.foreign import call_alone
from toolhaft_dense.weights import EncoderFolder

_LONGEST_PIECE = 64
"""Characters per token beyond which a text is not even looked at: nothing it ends in would be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """A tokenizer that was read, cutting at what the encoder reads.

    Attributes:
        longest: Tokens a text, those at its ends included.
    """

    longest: int
    _tokenizer: Any = field(repr=False)

    def of(self, texts: Sequence[str]) -> list[list[int]]:
        """Return the tokens of each text."""
        readable = [_readable(text, self.longest) for text in texts]
        return [found.ids for found in self._tokenizer.encode_batch_fast(readable)]

    def of_pairs(self, query: str, texts: Sequence[str]) -> list[tuple[list[int], list[int]]]:
        """Return tokens, and the part that each belongs to, of a query with each text, cut."""
        first = _readable(query, self.longest)
        pairs = [(first, _readable(text, self.longest)) for text in texts]
        return [(found.ids, found.type_ids) for found in self._tokenizer.encode_batch_fast(pairs)]


def open_tokens(folder: EncoderFolder, vocabulary: int) -> Tokens:
    """Read the tokenizer of a folder.

    Args:
        folder: What has it.
        vocabulary: Tokens that the weights know.

    Raises:
        ConfigError: tokenizers is missing, or the file is damaged or has tokens that the weights do not know.
    """
    reading = call_alone(_read, folder)
    file = folder.path / "tokenizer.json"
    error = reading.error
    if isinstance(error, ModuleNotFoundError):
        raise ConfigError(
            f"the module {error.name!r} is not installed", hint="pip install 'toolhaft-dense[onnx]'"
        ) from None
    if isinstance(error, Exception) and not isinstance(error, ToolhaftError):
        raise ConfigError(
            f"the tokenizer cannot be read: {clean(' '.join(str(error).split()), 300)}",
            where=str(file),
            hint="Its file may be damaged: download the encoder anew",
        )
    if error is not None:
        raise error
    found: Tokens = reading.value
    known = found._tokenizer.get_vocab_size(with_added_tokens=True)
    if known > vocabulary:
        raise ConfigError(
            f"the tokenizer has {known:,} tokens and the weights know {vocabulary:,}",
            where=str(file),
            hint="The files belong to different encoders: download it anew",
        )
    return found


def _read(folder: EncoderFolder) -> Tokens:
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(folder.path / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(folder.longest)
    return Tokens(longest=folder.longest, _tokenizer=tokenizer)


def _readable(text: str, longest: int) -> str:
    # No lone surrogates: the tokenizer takes none.
    return text[: _LONGEST_PIECE * longest].encode("utf-8", "replace").decode()

"""Holding a model to a grammar: which tokens may come next."""

from __future__ import annotations

import hashlib
import json
from collections import OrderedDict
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from toolhaft.errors import ConfigError, ModelError
from toolhaft.types import ToolSpec
from toolhaft_local.calls import MARKERS
from toolhaft_local.grammar import Grammar, build_grammar
from toolhaft_local.layout import Spelling

if TYPE_CHECKING:
    from toolhaft_local.loading import Loaded

_KEPT = 32
"""Compiled sets of tools that are kept."""


class GrammarConstraint:
    """Where one answer stands in a grammar.

    Args:
        matcher: Of llguidance, at the beginning.
    """

    def __init__(self, matcher: Any) -> None:
        self._matcher = matcher

    def mask(self, logits: Any) -> Any:
        """Return the logits with those of forbidden tokens at minus infinity.

        Raises:
            ModelError: The grammar grew too large for its engine.
        """
        import torch

        # One byte a token: 0 is forbidden.
        allowed = torch.frombuffer(bytearray(self._matcher.compute_logit_bias()), dtype=torch.uint8)
        self._check()
        if allowed.numel() < logits.numel():
            logits = logits.clone()
            logits[allowed.numel() :] = float("-inf")
            logits[: allowed.numel()].masked_fill_(allowed == 0, float("-inf"))
            return logits
        return logits.masked_fill(allowed[: logits.numel()] == 0, float("-inf"))

    def take(self, token: int) -> None:
        """Note the token that was chosen."""
        self._matcher.consume_token(token)
        self._check()

    def done(self) -> bool:
        """Whether nothing may follow."""
        return bool(self._matcher.is_stopped())

    def _check(self) -> None:
        if self._matcher.is_error():
            raise ModelError(
                f"the grammar of the tools cannot be followed: {str(self._matcher.get_error())[:300]}",
                hint="Offer fewer tools, simplify their schemas, or set constrained='off'",
            )


class Constraints:
    """Compiles grammars for sets of tools, each once.

    Args:
        loaded: The model whose tokens are masked.
        spelling: How it writes calls.
    """

    def __init__(self, loaded: Loaded, spelling: Spelling) -> None:
        self._loaded = loaded
        self._spelling = spelling
        self._tokenizer: Any = None
        self._kept: OrderedDict[str, tuple[Grammar, Any]] = OrderedDict()

    def begin(self, tools: Sequence[ToolSpec], *, must_call: bool) -> tuple[GrammarConstraint, Grammar]:
        """Return what holds one answer to the tools' schemas.

        Raises:
            ModelError: The tools make no grammar that the engine takes.
            ConfigError: llguidance is not installed.
        """
        written = json.dumps([must_call, [[spec.name, spec.parameters] for spec in tools]])
        key = hashlib.sha256(written.encode("utf-8", "replace")).hexdigest()
        if key not in self._kept:
            self._kept[key] = self._compile(tools, must_call)
            if len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        self._kept.move_to_end(key)
        grammar, matcher = self._kept[key]
        return GrammarConstraint(matcher.deep_copy()), grammar

    def _compile(self, tools: Sequence[ToolSpec], must_call: bool) -> tuple[Grammar, Any]:
        try:
            from llguidance import LLMatcher
        except ModuleNotFoundError:
            raise ConfigError(
                "the module 'llguidance' is not installed",
                hint="pip install llguidance, or set constrained='off'",
            ) from None
        if self._tokenizer is None:
            self._tokenizer = self._make_tokenizer()
        control = self._loaded.control
        grammar = build_grammar(
            tools,
            spelling=self._spelling,
            tokens={content: number for number, content in control.items()},
            prose=[
                number
                for number, content in control.items()
                if number not in self._loaded.special | self._loaded.ends
                and content not in MARKERS
                and "tool" not in content
            ],
            must_call=must_call,
        )
        matcher = LLMatcher(self._tokenizer, LLMatcher.grammar_from_lark(grammar.source), log_level=0)
        if matcher.is_error():
            raise ModelError(
                f"the tools make no grammar: {str(matcher.get_error())[:300]}",
                hint="Offer fewer tools, simplify their schemas, or set constrained='off'",
            )
        return grammar, matcher

    def _make_tokenizer(self) -> Any:
        from llguidance.hf import from_tokenizer

        size = self._loaded.model.get_output_embeddings().weight.shape[0]
        return from_tokenizer(
            self._loaded.tokenizer,
            n_vocab=max(size, len(self._loaded.tokenizer)),
            eos_token=sorted(self._loaded.ends) or None,
        )

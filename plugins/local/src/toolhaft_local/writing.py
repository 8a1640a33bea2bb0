"""Tokens into text as they come, with the model's control tokens told from the same letters in its text."""

from __future__ import annotations

from typing import Any

from toolhaft_local.calls import MARKERS, visible_length
from toolhaft_local.loading import Loaded

_BROKEN = "\N{REPLACEMENT CHARACTER}"
_SEAL = "\ue000"
"""Stands within a marker that was written in ordinary letters, so that it is not taken for the token."""


class Transcript:
    """What the model has written so far.

    Where the tokenizer has a token of its own for a marker such as ``<tool_call>``, only that token is one:
    the same letters written one after the other (repeated from a web page, say) stay text.

    Args:
        loaded: Whose tokens they are.
        keep: Whether special tokens stay in the text.
    """

    def __init__(self, loaded: Loaded, *, keep: bool = False) -> None:
        self._tokenizer: Any = loaded.tokenizer
        self._control = loaded.control
        self._hidden = frozenset() if keep else loaded.special
        self._sealed = tuple(marker for marker in MARKERS if marker in set(loaded.control.values()))
        self._before = ""
        self._run: list[int] = []
        self._text = ""
        self._start = self._read = 0

    def add(self, token: int) -> None:
        """Add a token."""
        content = self._control.get(token)
        if content is None:
            self._run.append(token)
            self._decode(final=False)
            return
        self._close_run()
        if token not in self._hidden or content in MARKERS:
            self._before += content

    def finish(self) -> str:
        """Return the whole text; markers that are mere letters are sealed (see `unseal`)."""
        self._close_run()
        return self._before

    def marked(self) -> str:
        """Return the text so far, as `finish` does, without a character that is not complete yet."""
        return self._before + self._seal(self._text)

    def _decode(self, *, final: bool) -> None:
        # Only the last few tokens are decoded: those whose text may still change, and the ones before
        # them, which decide on a space between the two.
        known = self._tokenizer.decode(self._run[self._start : self._read], **_EXACT)
        text = self._tokenizer.decode(self._run[self._start :], **_EXACT)
        if len(text) > len(known) and (final or not text.endswith(_BROKEN)):
            self._text += text[len(known) :]
            self._start, self._read = self._read, len(self._run)

    def _close_run(self) -> None:
        if self._run:
            self._decode(final=True)
        self._before += self._seal(self._text)
        self._run, self._text = [], ""
        self._start = self._read = 0

    def _seal(self, text: str) -> str:
        text = text.replace(_SEAL, "")
        for marker in self._sealed:
            text = text.replace(marker, marker[0] + _SEAL + marker[1:])
        return text


_EXACT = {"skip_special_tokens": False, "clean_up_tokenization_spaces": False}


class Streamed:
    """Passes on what is certain to be text and no call; in the end all of the text was passed on.

    Args:
        offered: Whether the model may make calls at all.
    """

    def __init__(self, *, offered: bool) -> None:
        self._offered = offered
        self._sent = 0

    def more(self, marked: str) -> str:
        """Return the text that is new and certain, of all that was written so far."""
        certain = marked[: visible_length(marked)] if self._offered else marked
        text = unseal(certain).lstrip().rstrip()
        piece, self._sent = text[self._sent :], max(self._sent, len(text))
        return piece

    def rest(self, text: str) -> str:
        """Return what of the final text was not passed on."""
        return text[self._sent :]


def unseal(text: str) -> str:
    """Return text with the markers in it as the model wrote them."""
    return text.replace(_SEAL, "")

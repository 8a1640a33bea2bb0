"""Which tokens carry loss: those of the assistant and the token that ends its turn, and no others.

The tokens of the prompt that the model is asked with, at this point of the conversation, are compared with
those of the rendering that has the turn: what was added is the turn. So training sees what inference sees,
text that looks like a control token encoded as text. A template that renders earlier turns in another way
than the last one, as those that drop old thoughts do, gives one sample for each turn. Only where a template
renders the prompt itself differently are its ``{% generation %}`` marks needed, and taken.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from toolhaft.errors import FormatError
from toolhaft_finetune.rows import Row

_MARKS = re.compile(r"\{%-?\s*generation\b")
Tokens = list[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A rendered conversation.

    Attributes:
        ids: Token ids.
        mask: Whether the token is the assistant's, for each.
        where: The row it was made from.
    """

    ids: tuple[int, ...]
    mask: tuple[bool, ...]
    where: str = ""

    def __len__(self) -> int:
        """Return the number of tokens."""
        return len(self.ids)


def make_samples(tokenizer: Any, row: Row) -> tuple[Sample, ...]:
    """Render a row by the tokenizer's chat template.

    Args:
        tokenizer: A fast one with a chat template.
        row: What is rendered.

    Returns:
        One sample, or one for each turn of the assistant where the template needs it.

    Raises:
        FormatError: The template refuses the row, or the assistant's tokens cannot be told.
    """
    places = [place for place, message in enumerate(row.messages) if message["role"] == "assistant"]
    turns: list[tuple[Tokens, Tokens]] = []
    for place in places:
        turn = _turn(tokenizer, row, place)
        if turn is None:
            return (_sample_by_marks(tokenizer, row, place),)
        turns.append(turn)
    whole = turns[-1][0] + turns[-1][1]
    if any(whole[: len(prompt) + len(said)] != prompt + said for prompt, said in turns):
        return tuple(_sample(prompt + said, [(len(prompt), len(said))], row) for prompt, said in turns)
    return (_sample(whole, [(len(prompt), len(said)) for prompt, said in turns], row),)


def _sample(ids: Tokens, spans: list[tuple[int, int]], row: Row) -> Sample:
    mask = [False] * len(ids)
    for start, length in spans:
        mask[start : start + length] = [True] * length
    return Sample(ids=tuple(ids), mask=tuple(mask), where=row.where)


def _turn(tokenizer: Any, row: Row, place: int) -> tuple[Tokens, Tokens] | None:
    """Return the prompt's tokens and those of the turn, or None if the prompt is no beginning of it."""
    prompt = _encode(tokenizer, row, place, prompting=True)
    through = _encode(tokenizer, row, place + 1)
    if through[: len(prompt)] == prompt and len(through) > len(prompt):
        return prompt, _until_end(tokenizer, through[len(prompt) :])
    before = _render(tokenizer, row, place, add_generation_prompt=True, tokenize=False)
    after = _render(tokenizer, row, place + 1, tokenize=False)
    if not after.startswith(before) or len(after) == len(before):
        return None
    # A token that spans the end of the prompt is one that the model is never asked to continue.
    added = tokenizer(after[len(before) :], add_special_tokens=False)["input_ids"]
    return prompt, _until_end(tokenizer, list(added))


def _until_end(tokenizer: Any, said: Tokens) -> Tokens:
    """Leave out the blanks that a template writes after the token that ends a turn: nobody says them."""
    last = len(said)
    while last > 1 and not tokenizer.decode(said[last - 1 :], skip_special_tokens=False).strip():
        last -= 1
    ends = {tokenizer.eos_token_id, *tokenizer.all_special_ids}
    return said[:last] if said[last - 1] in ends else said


def _encode(tokenizer: Any, row: Row, number: int, *, prompting: bool = False) -> Tokens:
    found = _render(
        tokenizer,
        row,
        number,
        add_generation_prompt=prompting,
        sanitize_control_tokens=True,
        return_dict=False,
    )
    return [int(token) for token in found]


def _render(tokenizer: Any, row: Row, number: int, **settings: Any) -> Any:
    from jinja2.exceptions import TemplateError

    messages = list(row.messages[:number])
    if not messages:
        raise FormatError("the assistant speaks first", where=row.where, hint="Begin with a user's message")
    try:
        return tokenizer.apply_chat_template(messages, tools=list(row.tools) or None, **settings)
    except (TemplateError, TypeError, ValueError, LookupError, AttributeError) as error:
        raise FormatError(
            f"the chat template refuses the row: {error!s:.200}",
            where=row.where,
            hint="Look at what the model's template wants of roles, calls and their order",
        ) from error


def _sample_by_marks(tokenizer: Any, row: Row, place: int) -> Sample:
    if not _MARKS.search(str(tokenizer.get_chat_template())):
        raise FormatError(
            "the chat template renders what stands before the assistant's turn differently after it",
            where=f"{row.where}#/messages/{place}",
            hint="Mark the assistant's part of the template with {% generation %}",
        )
    found = _render(tokenizer, row, len(row.messages), return_dict=True, return_assistant_tokens_mask=True)
    ids = [int(token) for token in found["input_ids"]]
    mask = [bool(mark) for mark in found["assistant_masks"]]
    ends = {tokenizer.eos_token_id, *tokenizer.all_special_ids}
    for after in range(1, len(ids)):
        # Many templates end the mark just before the token that ends the turn.
        if mask[after - 1] and not mask[after] and ids[after] in ends and ids[after - 1] not in ends:
            mask[after] = True
    if not any(mask):
        raise FormatError("the template marks nothing as the assistant's", where=row.where)
    last = max(position for position, mark in enumerate(mask) if mark) + 1
    return Sample(ids=tuple(ids[:last]), mask=tuple(mask[:last]), where=row.where)

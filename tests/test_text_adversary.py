"""Texts that are made to take time."""

import time
import unicodedata

import pytest

from toolhaft.text import identifier_words, tokenize


@pytest.mark.parametrize("marks", ["\u0301\u0316", "\u0316\u0301\u0327", "a\u0301" + "\u0316" * 50])
def test_piles_of_combining_marks_take_linear_time(marks):
    text = (marks * 200_000)[:200_000]
    started = time.process_time()
    tokenize(text)
    identifier_words(text)
    assert time.process_time() - started < 2  # half a minute each where all is normalised at once


@pytest.mark.parametrize(
    "text",
    ["ｆｕｌｌ width, ﬁne ①, e\u0301te\u0301 ", "ｶﾞｷﾞｸﾞ が ", "no-break\u00a0space … ﷺ\n", "한국어 "],
)
def test_pieces_give_the_terms_of_the_whole(text):
    whole = text * 300
    assert tokenize(whole) == tokenize(unicodedata.normalize("NFKC", whole))

"""Search terms, cleaning and shortening."""

import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolhaft.text import clean, identifier_words, shorten, stem, terminal_safe, tokenize


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("", []),
        ("the of and", []),
        ("getPetById", ["get", "pet", "id", "getpetbyid"]),
        ("list_user_names", ["list", "user", "name"]),
        ("HTTPStatus", ["http", "status", "httpstatus"]),
        ("URLs", ["url"]),
        ("covid19", ["covid", "19", "covid19"]),
        ("I'm Messi's agent, don’t ask", ["messi", "agent", "ask"]),
        ("running runs RUN", ["run", "run", "run"]),
        ("ｆｕｌｌｗｉｄｔｈ ﬁle", ["fullwidth", "file"]),
        ("café über", ["café", "über"]),
        ("東京タワー", ["東", "京", "タ", "ワ", "ー", "東京", "京タ", "タワ", "ワー"]),
        ("iPhone15の価格", ["phone", "15", "iphone15", "の", "価", "格", "の価", "価格"]),
        ("a-b/c.d", ["b", "c", "d"]),
    ],
)
def test_terms(text, terms):
    assert tokenize(text) == terms


@pytest.mark.parametrize(("query", "name"), [("youtube videos", "YouTubeVideo"), ("github", "GitHub_search")])
def test_a_brand_meets_its_identifier(query, name):
    assert set(tokenize(query)) & set(tokenize(name))


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("getHTTPStatus2", ["get", "http", "status", "2"]),
        ("list-all.items", ["list", "all", "items"]),
        ("XMLParser", ["xml", "parser"]),
        ("parseURLs", ["parse", "urls"]),
        ("__init__", ["init"]),
        ("", []),
    ],
)
def test_words_of_identifiers(name, words):
    assert identifier_words(name) == words


def test_stems():
    assert stem("generation") == stem("generate") == "generat"
    assert stem("9") == "9"


@given(st.text(max_size=300))
def test_terms_are_lower_case_and_not_empty(text):
    for term in tokenize(text):
        assert term
        assert not any(character.isspace() for character in term)
        assert not any("A" <= character <= "Z" for character in term)


@given(st.text(max_size=200), st.integers(0, 250))
def test_cleaned_text_is_visible_and_within_its_limit(text, limit):
    cleaned = clean(text, limit)
    assert len(cleaned) <= limit
    cleaned.encode()
    for character in cleaned.replace("\n", "").replace("\t", ""):
        assert unicodedata.category(character) not in ("Cc", "Cs")


def test_every_control_format_and_surrogate_character_is_removed():
    # Arabic and Syriac number and verse signs are of the category "format" but are seen.
    seen = "\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2"
    left = [
        character
        for character in map(chr, range(0x110000))
        if unicodedata.category(character) in ("Cc", "Cf", "Cs")
        and clean(f"a{character}b", 9) not in ("ab", "a\nb")
    ]
    assert "".join(left) == "\t" + seen


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("pay\u202elap", "paylap"),
        ("a\u200bb\ufeffc", "abc"),
        ("x\U000e0041\U000e0042y", "xy"),
        ("heart\ufe0f", "heart"),
        ("a\r\nb\rc\u2028d", "a\nb\nc\nd"),
        ("tab\tstays", "tab\tstays"),
    ],
)
def test_clean_removes_what_cannot_be_seen(text, shown):
    assert clean(text, 100) == shown


@pytest.mark.parametrize(
    ("text", "limit", "short"),
    [
        ("short", 5, "short"),
        ("too long", 5, "too…"),
        ("abcdefghij", 5, "abcd…"),
        ("one two three four", 16, "one two three…"),
        ("abc", 1, "…"),
        ("abc", 0, ""),
    ],
)
def test_shorten(text, limit, short):
    assert shorten(text, limit) == short


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07after", "after"),
        ("\x1b]8;;http://evil\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x9b2Jgone", "gone"),
        ("\x1bPq#0\x1b\\sixel", "sixel"),
        ("\x1bcreset", "reset"),
        ("safe\rEVIL", "safe\nEVIL"),
        ("back\x08\x08space", "backspace"),
        ("unfinished \x1b[", "unfinished "),
        ("bell\x07", "bell"),
    ],
)
def test_terminal_sequences_do_not_pass(text, shown):
    assert terminal_safe(text) == shown


@given(st.text(alphabet="\x1b[]P\\0;mA\x07\x9b\x9c\r\n ", max_size=60))
def test_no_escape_character_passes(text):
    assert not set(terminal_safe(text)) & set("\x1b\x9b\x9c\x07\r")


@pytest.mark.parametrize("unit", ["\x1bP", "\x1b]", "aB", "'s", "ﷺ", "1a", "漢", "\x1b[0"])
def test_long_text_takes_linear_time(unit):
    text = unit * (400_000 // len(unit))
    started = time.process_time()
    tokenize(text)
    clean(text, 1_000)
    terminal_safe(text)
    assert time.process_time() - started < 5

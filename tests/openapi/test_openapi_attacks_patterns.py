"""Expressions, globs and paths of hostile curations and overlays end in bounded time and memory."""

from __future__ import annotations

import re
import time
from random import Random

import pytest

from toolhaft import open_catalog
from toolhaft.errors import FormatError, UsageError
from toolhaft.tools.patterns import _walk, check_expression, fits_glob, stands_in

LONG = "a" * 50


def document():
    operation = {"operationId": f"list{LONG}", "responses": {"200": {"description": "ok"}}}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Pets", "version": "1"},
        "servers": [{"url": "https://api.example.com"}],
        "paths": {f"/pets/{LONG}!": {"get": operation}},
    }


@pytest.mark.parametrize(
    "pattern", ["(a+)+$", "(a|aa)+b", "(a*)*b", r"(?:a?){40}a{40}b", "^(([a-z])+.)+[A-Z]([a-z])+$"]
)
def test_an_expression_that_takes_years_is_told_at_once(pattern):
    began = time.perf_counter()
    open_catalog(
        document(), curation={"curation": 1, "rules": [{"match": {"regex": pattern}, "describe": "x"}]}
    )
    open_catalog(document(), exclude={"matching": pattern + "#"})
    assert time.perf_counter() - began < 5


@pytest.mark.parametrize("glob", ["*a" * 25 + "b", "**a*" * 20 + "b", "?*" * 30 + "#"])
@pytest.mark.parametrize("field", ["name", "path"])
def test_a_glob_of_many_stars_is_told_at_once(glob, field):
    began = time.perf_counter()
    open_catalog(document(), curation={"curation": 1, "exclude": [{field: glob}]})
    assert time.perf_counter() - began < 5


@pytest.mark.parametrize("match", [{"regex": "("}, {"regex": "a" * 2001}, {"name": "*" * 2001}, "x" * 2001])
def test_what_is_no_pattern_is_one_error(match):
    with pytest.raises(FormatError):
        open_catalog(document(), curation={"curation": 1, "exclude": [match]})


def test_a_filter_that_is_none_is_wrong_usage():
    with pytest.raises(UsageError, match="matching is not a regular expression"):
        open_catalog(document(), include={"matching": "("})


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [
        ("pet", "a pet", True),
        ("^GET", "list GET", False),
        ("(?i)PET", "pets", True),
        (r"\bget\b", "x get y", True),
    ],
)
def test_expressions_mean_what_they_say(pattern, text, found):
    check_expression(pattern)
    assert stands_in(pattern, text) is found


def test_both_ways_to_fit_a_glob_agree():
    random = Random(7)
    for _ in range(3000):
        glob = "".join(random.choice("ab/*?") for _ in range(random.randrange(8)))
        text = "".join(random.choice("ab/") for _ in range(random.randrange(9)))
        pieces = [
            ".*"
            if star[:2] == "**"
            else "[^/]*"
            if star == "*"
            else "[^/]"
            if star == "?"
            else re.escape(star)
            for star in re.findall(r"\*+|.", glob)
        ]
        plain = re.fullmatch("".join(pieces), text) is not None
        assert _walk(glob, text) is plain, (glob, text)
        assert fits_glob(glob, text, segments=True) is (
            plain or (glob.endswith("/**") and fits_glob(glob[:-3], text, segments=True))
        ), (glob, text)
        loose = re.sub(r"\\\*|\*+", ".*", glob.replace("?", "."))
        assert fits_glob(glob, text) is (re.fullmatch(loose, text) is not None), (glob, text)

"""Values that fit the name and type of a key, drawn from a seeded source: the simulator's words."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta
from random import Random
from typing import Any

_FIRST = ("Ada", "Ben", "Chiara", "Deniz", "Elena", "Femi", "Greta", "Hugo", "Ines", "Jonas", "Kaya", "Lena")
_LAST = ("Abel", "Brandt", "Costa", "Diallo", "Eriksen", "Fischer", "Garcia", "Haddad", "Ito", "Kowalski")
_CITIES = ("Berlin", "Lisbon", "Nairobi", "Osaka", "Quito", "Riga", "Toronto", "Valencia", "Wellington")
_COUNTRIES = ("Germany", "Portugal", "Kenya", "Japan", "Ecuador", "Latvia", "Canada", "Spain", "New Zealand")
_CODES = ("DE", "PT", "KE", "JP", "EC", "LV", "CA", "ES", "NZ")
_CURRENCIES = ("EUR", "USD", "GBP", "JPY", "CHF", "CAD")
_LANGUAGES = ("en", "de", "pt", "ja", "es", "fr")
_COLOURS = ("blue", "green", "red", "yellow", "grey", "violet")
_NOUNS = ("Atlas", "Harbour", "Meadow", "Lantern", "Summit", "Orchard", "Compass", "Willow", "Ember", "Delta")
_ADJECTIVES = ("Bright", "Quiet", "Northern", "Golden", "Swift", "Hidden", "Little", "Grand")
_EPOCH = date(2024, 1, 1)

Draw = Callable[[Random], Any]


def _person(source: Random) -> str:
    return f"{source.choice(_FIRST)} {source.choice(_LAST)}"


def _title(source: Random) -> str:
    return f"{source.choice(_ADJECTIVES)} {source.choice(_NOUNS)}"


def _day(source: Random) -> str:
    return (_EPOCH + timedelta(days=source.randrange(700))).isoformat()


def _moment(source: Random) -> str:
    return f"{_day(source)}T{source.randrange(24):02}:{source.randrange(60):02}:00Z"


def _clock(source: Random) -> str:
    return f"{source.randrange(24):02}:{source.randrange(60):02}"


def _code(source: Random) -> str:
    return f"{source.getrandbits(32):08x}"


def _sentence(source: Random) -> str:
    return (
        f"{_title(source)} is known for {source.choice(_NOUNS).lower()} and {source.choice(_NOUNS).lower()}."
    )


def _url(source: Random) -> str:
    return f"https://example.com/{source.choice(_NOUNS).lower()}/{source.randrange(1000)}"


_TEXTS: tuple[tuple[re.Pattern[str], Draw], ...] = tuple(
    (re.compile(rf"(?:^|_)(?:{names})(?:s?$|_)"), draw)
    for names, draw in (
        ("e_?mail", lambda source: f"{source.choice(_FIRST).lower()}@example.com"),
        ("image|img|photo|picture|avatar|logo|thumbnail|icon", lambda source: f"{_url(source)}.png"),
        ("url|link|href|website|uri|homepage", _url),
        ("created|updated|published|timestamp|datetime|modified|created_at|updated_at|expires", _moment),
        ("time|hour|departure|arrival|start_time|end_time|opening", _clock),
        ("date|day|birthday|dob|birth", _day),
        ("country_?code", lambda source: source.choice(_CODES)),
        ("country|nation|nationality", lambda source: source.choice(_COUNTRIES)),
        ("city|town|location|place|venue|capital|region|state", lambda source: source.choice(_CITIES)),
        ("currency", lambda source: source.choice(_CURRENCIES)),
        ("lang|language|locale", lambda source: source.choice(_LANGUAGES)),
        ("colou?r", lambda source: source.choice(_COLOURS)),
        ("phone|mobile|tel|fax", lambda source: f"+49 30 {source.randrange(10**6, 10**7)}"),
        ("zip|postal|postcode|zip_code", lambda source: f"{source.randrange(10_000, 99_999)}"),
        ("address|street", lambda source: f"{source.choice(_NOUNS)} Street {source.randrange(1, 200)}"),
        ("ip|ip_address", lambda source: f"203.0.113.{source.randrange(1, 255)}"),
        ("lat|latitude|lon|lng|longitude", lambda source: f"{source.uniform(-60, 60):.4f}"),
        (
            "price|amount|cost|total|value|rate|score|rating|percent|percentage|volume|market_cap",
            lambda source: f"{source.uniform(1, 500):.2f}",
        ),
        (
            "count|number|num|quantity|year|age|rank|position|size|length|height|width|duration",
            lambda source: str(_integer("number", source)),
        ),
        (
            "artist|author|player|user|person|owner|username|actor|director|full_name|first_name|last_name",
            _person,
        ),
        (
            "company|brand|publisher|organization|organisation|team|club",
            lambda source: f"{_title(source)} Ltd",
        ),
        (
            "description|summary|text|content|bio|body|about|overview|comment|review|lyrics|quote|joke",
            _sentence,
        ),
        ("id|uuid|guid|key|code|hash|slug|sku|isbn|symbol|token", _code),
        ("status|state", lambda _: "ok"),
        ("version", lambda source: f"{source.randrange(1, 5)}.{source.randrange(10)}"),
    )
)
_NOTHING = re.compile(r"^(?:error|errors|err|error_message|error_code|warnings?)$")
_NUMBERS: tuple[tuple[re.Pattern[str], tuple[float, float]], ...] = tuple(
    (re.compile(rf"(?:^|_)(?:{names})(?:s?$|_)"), bounds)
    for names, bounds in (
        ("status_?code|http_?status|code|status", (200, 200)),
        ("year", (1980, 2025)),
        ("month", (1, 12)),
        ("day", (1, 28)),
        ("hour", (0, 23)),
        ("minute|second", (0, 59)),
        ("age", (18, 80)),
        ("page", (1, 1)),
        ("lat|latitude", (-60, 60)),
        ("lon|lng|longitude", (-170, 170)),
        ("percent|percentage|humidity|probability", (0, 100)),
        ("rating|stars", (1, 5)),
        ("temp|temperature|temp_c", (-10, 35)),
        ("timestamp|epoch|unix", (1_704_067_200, 1_760_000_000)),
        ("count|total|views|likes|followers|votes|population|downloads", (10, 100_000)),
        ("id", (1000, 999_999)),
        ("price|amount|cost|value", (5, 500)),
    )
)


def words_of(name: str) -> str:
    """Return a key as lower-case words joined by ``_``: ``createdAt`` gives ``created_at``."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name[:100])
    return re.sub(r"[^a-z0-9]+", "_", spaced.lower()).strip("_")


def draw_text(name: str, source: Random) -> str:
    """Return a text that fits a key."""
    words = words_of(name)
    if _NOTHING.match(words):
        return ""
    if words in ("message", "msg", "detail"):
        return "OK"
    for pattern, draw in _TEXTS:
        if pattern.search(words):
            return str(draw(source))
    return _title(source)


def draw_number(name: str, source: Random, *, whole: bool) -> int | float:
    """Return a number that fits a key."""
    words = words_of(name)
    if _NOTHING.match(words):
        return 0
    for pattern, (low, high) in _NUMBERS:
        if pattern.search(words):
            return source.randint(int(low), int(high)) if whole else round(source.uniform(low, high), 2)
    return _integer(words, source) if whole else round(source.uniform(1, 100), 2)


def draw_truth(name: str, source: Random) -> bool:
    """Return true for what says that all is well, false for what speaks of failure, else either."""
    words = words_of(name)
    if re.search(r"(?:^|_)(?:success|ok|valid|available|active|enabled|found)", words):
        return True
    if _NOTHING.match(words) or "error" in words or "fail" in words:
        return False
    return source.random() < 0.5


def _integer(words: str, source: Random) -> int:
    return source.randint(1, 100) if words else 0

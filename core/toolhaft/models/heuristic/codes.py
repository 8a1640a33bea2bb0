"""Codes that interfaces want for what people call by name: countries, currencies, languages.

Source: ISO 3166-1 alpha-2, ISO 4217 and ISO 639-1, the entries most often spoken of.
"""

from __future__ import annotations

from toolhaft.models.heuristic.slots import Slot
from toolhaft.models.heuristic.words import name_words, spelled_in


def _table(text: str) -> dict[str, str]:
    pairs = (entry.rpartition(" ") for entry in text.split(",") if entry.strip())
    return {name.strip().lower(): code for name, _, code in pairs}


COUNTRIES = _table(
    "Argentina AR,Australia AU,Austria AT,Belgium BE,Brazil BR,Bulgaria BG,Canada CA,Chile CL,"
    "China CN,Colombia CO,"
    "Croatia HR,Cyprus CY,Czechia CZ,Czech Republic CZ,Denmark DK,Egypt EG,Estonia EE,Finland FI,"
    "France FR,Germany DE,"
    "Greece GR,Hungary HU,Iceland IS,India IN,Indonesia ID,Ireland IE,Israel IL,Italy IT,Japan JP,"
    "Kenya KE,Latvia LV,"
    "Lithuania LT,Luxembourg LU,Malaysia MY,Malta MT,Mexico MX,Morocco MA,Netherlands NL,"
    "New Zealand NZ,Nigeria NG,"
    "Norway NO,Pakistan PK,Peru PE,Philippines PH,Poland PL,Portugal PT,Romania RO,Saudi Arabia SA,Serbia RS,"
    "Singapore SG,Slovakia SK,Slovenia SI,South Africa ZA,South Korea KR,Spain ES,Sweden SE,"
    "Switzerland CH,Taiwan TW,"
    "Thailand TH,Turkey TR,Ukraine UA,United Arab Emirates AE,United Kingdom GB,United States US,Vietnam VN,"
    "Norwegian NO,German DE,French FR,Italian IT,Spanish ES,Portuguese PT,Swedish SE,Danish DK,"
    "Finnish FI,Dutch NL,"
    "Japanese JP,Chinese CN,American US,British GB,Canadian CA,Australian AU,Indian IN,Austrian AT,"
    "Swiss CH,Polish PL"
)
CURRENCIES = _table(
    "US dollars USD,US dollar USD,American dollars USD,Canadian dollars CAD,Australian dollars AUD,"
    "dollars USD,dollar USD,"
    "euros EUR,euro EUR,pounds GBP,pound GBP,British pounds GBP,yen JPY,Japanese yen JPY,"
    "Swiss francs CHF,Swiss franc CHF,"
    "yuan CNY,rupees INR,Indian rupees INR,Norwegian kroner NOK,Norwegian krone NOK,"
    "Swedish kronor SEK,Swedish krona SEK,"
    "Danish kroner DKK,Danish krone DKK,zloty PLN,Kenyan shillings KES,Kenyan shilling KES,"
    "Icelandic kronur ISK,Icelandic krona ISK,Mexican pesos MXN,won KRW,"
    "United States dollars USD,United States dollar USD"
)
LANGUAGES = _table(
    "English en,German de,French fr,Spanish es,Italian it,Portuguese pt,Dutch nl,Swedish sv,"
    "Norwegian no,Danish da,"
    "Finnish fi,Polish pl,Russian ru,Ukrainian uk,Turkish tr,Arabic ar,Hebrew he,Hindi hi,"
    "Japanese ja,Korean ko,"
    "Chinese zh,Greek el,Czech cs,Hungarian hu,Romanian ro"
)
_TABLES = (("countr", COUNTRIES), ("currenc", CURRENCIES), ("languag", LANGUAGES))


def wanted_codes(slot: Slot) -> dict[str, str] | None:
    """Return the table of codes that a slot asks for, or None if it asks for no code."""
    choices = slot.schema.get("enum")
    if isinstance(choices, list) and len(choices) > 1 and all(isinstance(one, str) for one in choices):
        return next((table for _, table in _TABLES if set(choices) <= set(table.values())), None)
    description = str(slot.schema.get("description") or "").lower()
    pattern = str(slot.schema.get("pattern") or "")
    coded = (
        "iso" in description
        or "code" in description
        or "[A-Z]{" in pattern
        or "code" in name_words(slot.label)
    )
    if not coded or slot.schema.get("type") != "string":
        return None
    if "4217" in description:
        return CURRENCIES
    if "3166" in description:
        return COUNTRIES
    if "639" in description:
        return LANGUAGES
    words = " ".join((*name_words(slot.label), description))
    return next((table for key, table in _TABLES if key in words), None)


def named_codes(table: dict[str, str], text: str) -> list[tuple[int, int, str]]:
    """Return places and codes of the names of a table in a text, longest names first, in their order."""
    found: list[tuple[int, int, str]] = []
    for name in sorted(table, key=len, reverse=True):
        place = spelled_in(name, text)
        if place >= 0 and not any(start < place + len(name) and place < end for start, end, _ in found):
            found.append((place, place + len(name), table[name]))
    return sorted(found)

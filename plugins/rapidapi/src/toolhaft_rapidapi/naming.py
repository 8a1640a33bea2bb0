"""Names for APIs: legal everywhere, readable, and the same whatever the order of the files."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Literal

from toolhaft.openapi.names import short_hash
from toolhaft.tools.base import NAME
from toolhaft_rapidapi.record import APIRecord
from toolhaft_rapidapi.standard import LONGEST, function_name, standard_name, standard_word

Naming = Literal["readable", "toolbench"]
NAMINGS: tuple[Naming, ...] = ("readable", "toolbench")
_ILLEGAL = re.compile(r"[^a-z0-9]+")
_TOOL_PART = 30
_DIGITS = 9


def tool_names(records: Sequence[APIRecord], naming: Naming = "readable") -> list[str]:
    """Return one name for each API, in the given order.

    ``readable`` is ``<tool>_<api>`` in lower-case ASCII. A name that had to lose letters or was cut ends
    in eight digits of a hash of category, tool and API; so do all of those that want the same name, so
    that a name never stands for another API in a smaller import. ``toolbench`` is ToolBench's own name
    where it is legal; where several want it, the first by category, tool and API keeps it.

    Args:
        records: What to name; two of the same category, tool and API are told apart by method and URL.
        naming: Which names.
    """
    digests = _digests(records)
    if naming == "toolbench":
        return _toolbench(records, digests)
    wishes = [readable_name(record) for record in records]
    wanted = Counter(name for name, _ in wishes)
    return [
        _suffixed(name, digest) if lossy or wanted[name] > 1 else name
        for (name, lossy), digest in zip(wishes, digests, strict=True)
    ]


def readable_name(record: APIRecord) -> tuple[str, bool]:
    """Return ``<tool>_<api>``, and whether something of the two was lost that may tell them from others."""
    (tool, lost_tool), (api, lost_api) = _slug(record.tool), _slug(record.api)
    lossy = lost_tool or lost_api
    room = LONGEST - _DIGITS
    if len(tool) + len(api) + 1 > LONGEST:
        lossy = True
        tool = tool[: max(_TOOL_PART, room - 1 - len(api))].rstrip("_")
    name = "_".join(part for part in (tool, api) if part) or "api"
    return (name[:room].rstrip("_"), True) if lossy else (name, False)


def collisions(records: Sequence[APIRecord], naming: Naming) -> list[int]:
    """Return how many APIs want the same name as each, itself included."""
    if naming == "toolbench":
        wishes = [function_name(record.tool, record.api) for record in records]
    else:
        wishes = [readable_name(record)[0] for record in records]
    wanted = Counter(wishes)
    return [wanted[name] for name in wishes]


def _digests(records: Sequence[APIRecord]) -> list[str]:
    """Return eight hexadecimal digits for each API, all different."""
    plain = ["\t".join(record.identity) for record in records]
    shared = Counter(plain)
    texts = [
        text if shared[text] == 1 else f"{text}\t{record.method}\t{record.url}"
        for text, record in zip(plain, records, strict=True)
    ]
    order = sorted(range(len(records)), key=lambda index: (texts[index], repr(records[index].parameters)))
    found = [""] * len(records)
    taken: set[str] = set()
    for index in order:
        digest, attempt = short_hash(texts[index]), 0
        while digest in taken:
            attempt += 1
            digest = short_hash(f"{texts[index]}\t{attempt}")
        taken.add(digest)
        found[index] = digest
    return found


def _toolbench(records: Sequence[APIRecord], digests: Sequence[str]) -> list[str]:
    wishes = [function_name(record.tool, record.api) for record in records]
    by_wish: defaultdict[str, list[int]] = defaultdict(list)
    for index, name in enumerate(wishes):
        by_wish[name].append(index)
    found = list(wishes)
    for name, group in by_wish.items():
        group.sort(key=lambda index: (records[index].identity, digests[index]))
        legal = NAME.fullmatch(name) is not None and bool(standard_word(records[group[0]].api))
        legal = legal and bool(standard_name(records[group[0]].tool))
        for index in group[1:] if legal else group:
            # What stands at the end says the tool; the hash goes before it.
            tail = _ILLEGAL.sub("_", name)[-(LONGEST - _DIGITS) :].strip("_")
            found[index] = f"{digests[index]}_{tail}"
    return found


def _slug(text: str) -> tuple[str, bool]:
    decomposed = text if text.isascii() else unicodedata.normalize("NFKD", text)
    kept = "".join(character for character in decomposed if not unicodedata.combining(character))
    lost = any(not character.isascii() and character.isalnum() for character in kept)
    plain = _ILLEGAL.sub("_", kept.encode("ascii", "ignore").decode().lower()).strip("_")
    return plain, lost or not plain


def _suffixed(name: str, digest: str) -> str:
    return f"{name[: LONGEST - _DIGITS].rstrip('_')}_{digest}"

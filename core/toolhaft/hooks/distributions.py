"""Which plugins are installed, from the metadata of their distributions; nothing is imported."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from importlib.metadata import Distribution

_REQUIREMENT = re.compile(r"\s*([A-Za-z0-9][\w.-]*)\s*(?:\[[^\]]*\])?\s*\(?([^;()@]*)\)?\s*(?:;\s*(.*))?")
_MODULE = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*(?::[^\W\d]\w*(?:\.[^\W\d]\w*)*)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """One ``Requires-Dist``: a distribution's normalised name, the versions, the extra that wants it."""

    name: str
    versions: str = ""
    extra: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """An entry point that was found.

    Attributes:
        name: Of the entry point.
        target: ``module`` or ``module:attribute``; empty if it cannot be read.
        distribution: Name of the distribution.
        version: Of the distribution.
        requirements: What it depends on.
        problem: Why it cannot be loaded, or empty.
    """

    name: str
    target: str = ""
    distribution: str = ""
    version: str = ""
    requirements: tuple[Requirement, ...] = ()
    problem: str = ""


def normalise(name: str) -> str:
    """Return the name of a distribution in the form in which names are compared."""
    return re.sub(r"[-_.]+", "-", name).lower()


def find_candidates(group: str, path: Sequence[str]) -> list[Candidate]:
    """Return the entry points of a group, those of the core first, then by name.

    A distribution that is on the path twice counts once, where it would be imported from.

    Args:
        group: Entry-point group.
        path: Folders to look in, as ``sys.path``.
    """
    from importlib.metadata import distributions

    found: list[Candidate] = []
    seen: set[str] = set()
    for distribution in distributions(path=list(path)):
        candidates = list(_read(distribution, group))
        names = {normalise(candidate.distribution) for candidate in candidates}
        if not names & seen:
            found.extend(candidates)
            seen |= names
    return sorted(found, key=lambda each: (each.distribution != "toolhaft", each.name, each.distribution))


def _read(distribution: Distribution, group: str) -> Iterator[Candidate]:
    try:
        text = distribution.read_text("entry_points.txt") or ""
    except (OSError, ValueError) as error:
        if group in _folder_name(distribution):
            yield Candidate(
                name=_folder_name(distribution), problem=f"its entry points cannot be read: {error}"
            )
        return
    if f"[{group}" not in text:
        return
    sections = _sections(text)
    headers = _headers(distribution)
    name = (headers.get("name") or [_folder_name(distribution)])[0]
    version = (headers.get("version") or [""])[0]
    requirements = tuple(
        requirement
        for line in headers.get("requires-dist", ())
        if (requirement := _requirement(line)) is not None
    )
    problem = "" if headers.get("name") else "its metadata is missing: the installation is not complete"
    if group not in sections:
        wrong = next((section for section in sections if section.startswith(f"{group}.")), None)
        if wrong is not None:
            yield Candidate(
                name=name,
                distribution=name,
                version=version,
                problem=f"its entry point is in the group {wrong!r}; it must be in {group!r}",
            )
        return
    for entry, target in sections[group]:
        unreadable = "" if _MODULE.fullmatch(target) else f"its entry point {target[:80]!r} names no module"
        yield Candidate(
            name=entry or name,
            target="" if unreadable else target,
            distribution=name,
            version=version,
            requirements=requirements,
            problem=problem or unreadable,
        )


def _sections(text: str) -> dict[str, list[tuple[str, str]]]:
    sections: dict[str, list[tuple[str, str]]] = {}
    lines: list[tuple[str, str]] = []
    for line in text.splitlines():
        line = line.strip()
        if line.startswith("[") and line.endswith("]"):
            lines = sections.setdefault(line[1:-1].strip(), [])
        elif line and not line.startswith(("#", ";")):
            name, _, target = line.partition("=")
            lines.append((name.strip(), target.partition("[")[0].strip()))
    return sections


def _headers(distribution: Distribution) -> dict[str, list[str]]:
    """Read the few headers that matter; a full e-mail parser costs more than all the rest."""
    try:
        text = distribution.read_text("METADATA") or distribution.read_text("PKG-INFO") or ""
    except (OSError, ValueError):
        return {}
    headers: dict[str, list[str]] = {}
    for line in text.splitlines():
        if not line.strip():
            break
        name, colon, value = line.partition(":")
        if colon and not line[0].isspace():
            headers.setdefault(name.strip().lower(), []).append(value.strip())
    return headers


def _requirement(line: str) -> Requirement | None:
    found = _REQUIREMENT.fullmatch(line[:1000])
    if found is None:
        return None
    name, versions, marker = found.groups()
    extra = re.search(r"""extra\s*==\s*["']([\w.-]+)["']""", marker or "")
    return Requirement(name=normalise(name), versions=versions.strip(), extra=extra[1] if extra else "")


def _folder_name(distribution: Distribution) -> str:
    """Return what the metadata folder is called, for want of a name inside it."""
    folder = getattr(distribution, "_path", None)
    return normalise(str(getattr(folder, "name", "")).split("-")[0]) or "unknown"

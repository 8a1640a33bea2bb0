"""Whether a version satisfies a requirement, so that it is known before a plugin is imported.

Source: PEP 440, "Version specifiers". Deviation: a pre-release that is running satisfies ``>=`` of an
older release, for it has been chosen already; what is not a version raises `ValueError`.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_VERSION = re.compile(
    r"""v?(?:(?P<epoch>\d+)!)?(?P<release>\d+(?:\.\d+)*)
    (?:[-_.]?(?P<stage>alpha|beta|preview|pre|rc|a|b|c)[-_.]?(?P<stage_number>\d*))?
    (?P<post>-(?P<post_dash>\d+)|[-_.]?(?:post|rev|r)[-_.]?(?P<post_number>\d*))?
    (?P<dev>[-_.]?dev[-_.]?(?P<dev_number>\d*))?
    (?:\+(?P<local>[a-z0-9]+(?:[-_.][a-z0-9]+)*))?""",
    re.VERBOSE,
)
_CLAUSE = re.compile(r"(===|~=|==|!=|<=|>=|<|>)\s*([^\s]+)")
_STAGES = {"a": 0, "alpha": 0, "b": 1, "beta": 1, "c": 2, "rc": 2, "pre": 2, "preview": 2}
_LONGEST = 200
_BEFORE, _AFTER = -1, 1 << 62

LocalPart = tuple[int, int, str]


class Version(NamedTuple):
    """A version in comparable form.

    Attributes:
        epoch: Number before ``!``.
        release: Numbers without trailing zeros.
        stage: Pre-release as ``(stage, number)``; of a final release, what sorts after every stage.
        post: Number of the post-release, -1 if it is none.
        dev: Number of the development release; of any other, what sorts after all of them.
        local: What stands behind ``+``.
    """

    epoch: int
    release: tuple[int, ...]
    stage: tuple[int, int]
    post: int
    dev: int
    local: tuple[LocalPart, ...]

    @property
    def is_prerelease(self) -> bool:
        """Whether it is a pre-release or a development release."""
        return self.stage[0] in (0, 1, 2) or self.dev != _AFTER


def parse_version(text: str) -> Version:
    """Read a version.

    Raises:
        ValueError: It is not one.
    """
    found = _VERSION.fullmatch(text.strip().lower()) if len(text) <= _LONGEST else None
    if found is None:
        raise ValueError(f"{text[:40]!r} is not a version")
    part = found.groupdict()
    numbers = [int(number) for number in part["release"].split(".")]
    while len(numbers) > 1 and numbers[-1] == 0:
        numbers.pop()
    post = int(part["post_dash"] or part["post_number"] or 0) if part["post"] else -1
    dev = int(part["dev_number"] or 0) if part["dev"] else _AFTER
    if part["stage"]:
        stage = (_STAGES[part["stage"]], int(part["stage_number"] or 0))
    elif part["dev"] and not part["post"]:
        stage = (_BEFORE, 0)
    else:
        stage = (_AFTER, 0)
    local = tuple(_local_part(piece) for piece in re.split(r"[-_.]", part["local"] or "") if piece)
    return Version(int(part["epoch"] or 0), tuple(numbers), stage, post, dev, local)


def satisfies(version: str, specifier: str) -> bool:
    """Whether ``version`` fits all clauses of ``specifier``, for example ``>=0.1,<0.2`` or ``==0.1.*``.

    Raises:
        ValueError: Either cannot be read.
    """
    clauses = [clause.strip() for clause in specifier.split(",") if clause.strip()]
    return all(_fits(version, clause) for clause in clauses)


def _fits(text: str, clause: str) -> bool:
    found = _CLAUSE.fullmatch(clause)
    if found is None:
        raise ValueError(f"{clause[:40]!r} is not a version specifier")
    operator, wanted = found.groups()
    if operator == "===":
        return text.strip().lower() == wanted.lower()
    version = parse_version(text)
    if operator in ("==", "!="):
        same = _same_prefix(text, wanted[:-2]) if wanted.endswith(".*") else _equal(version, wanted)
        return same == (operator == "==")
    if operator == "~=":
        release = wanted.split("+")[0]
        prefix = re.match(r"v?(?:\d+!)?\d+(?:\.\d+)*(?=\.\d+)", release)
        if prefix is None:
            raise ValueError(f"{clause[:40]!r} needs a version of two numbers or more")
        return _ordered(version, ">=", parse_version(wanted)) and _same_prefix(text, prefix[0])
    return _ordered(version, operator, parse_version(wanted))


def _equal(version: Version, wanted: str) -> bool:
    other = parse_version(wanted)
    return version == other if other.local else version._replace(local=()) == other


def _ordered(version: Version, operator: str, wanted: Version) -> bool:
    public = version._replace(local=())
    if operator == ">=":
        return public >= wanted
    if operator == "<=":
        return public <= wanted
    if operator == "<":  # "<2" is not meant to let the release candidates of 2 in
        if wanted.is_prerelease:
            return public < wanted
        return public < wanted._replace(stage=(_BEFORE, 0) if wanted.post == -1 else wanted.stage, dev=0)
    same_base = public[:3] == wanted[:3] and wanted.post == -1 and public.post != -1
    return public > wanted and not same_base


def _same_prefix(text: str, prefix: str) -> bool:
    version, wanted = parse_version(text), parse_version(prefix)
    length = len(re.sub(r"^v?(\d+!)?", "", prefix.strip()).split("."))
    padded = version.release + (0,) * length
    wanted_padded = wanted.release + (0,) * length
    return version.epoch == wanted.epoch and padded[:length] == wanted_padded[:length]


def _local_part(piece: str) -> LocalPart:
    return (1, int(piece), "") if piece.isdigit() else (0, 0, piece)

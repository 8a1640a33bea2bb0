"""The rows of a hub's API database, indexed by what they call and what tells one API from another."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from toolhaft.errors import FormatError
from toolhaft_evals.apibench.calls import Call, find_calls, is_python
from toolhaft_evals.files import read_objects, text_of

_PARAMETERS = {
    "torch.hub.load": ("repo_or_dir", "model"),
    "hub.load": ("handle",),
    "hub.KerasLayer": ("handle",),
    "pipeline": ("task", "model"),
    "from_pretrained": ("pretrained_model_name_or_path",),
    "get_file": ("fname", "origin"),
}
"""Names of positional parameters, by the callee or its last word."""
_IDENTIFYING = frozenset(
    {
        "repo_or_dir",
        "model",
        "handle",
        "origin",
        "pretrained_model_name_or_path",
        "model_name",
        "repo_id",
        "model_id",
    }
)
_PREFIXES = ("transformers.", "diffusers.", "tensorflow_", "self.")

Identity = tuple[str, tuple[str, ...]]
"""What is called, and the identifying arguments: two calls with one identity call the same API."""


@dataclass(frozen=True, slots=True, kw_only=True)
class API:
    """One row of the database.

    Attributes:
        position: In the file, from 0.
        source: Its call as it is written there.
        call: The call; None if the row holds none, for example a shell command.
        domain: Its domain.
    """

    position: int
    source: str
    call: Call | None
    domain: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Database:
    """The APIs of a hub.

    Attributes:
        hub: Its name, for example ``torchhub``.
        rows: In the order of the file.
        by_identity: Rows by what they call.
        by_text: Rows by their source without blanks.
        by_values: Rows whose call is no Python, as with a positional argument behind a named one, by what
            is called and all its values.
        callees: Last words of what is called.
    """

    hub: str
    rows: tuple[API, ...]
    by_identity: Mapping[Identity, tuple[API, ...]] = field(repr=False)
    by_text: Mapping[str, tuple[API, ...]] = field(repr=False)
    by_values: Mapping[Identity, tuple[API, ...]] = field(repr=False)
    callees: frozenset[str] = field(repr=False)

    @classmethod
    def of(cls, rows: Iterable[tuple[str, str]], *, hub: str = "") -> Database:
        """Return a database of ``(call, domain)`` pairs."""
        found = tuple(
            API(position=position, source=source, call=first_call(source), domain=domain)
            for position, (source, domain) in enumerate(rows)
        )
        identities: dict[Identity, list[API]] = {}
        texts: dict[str, list[API]] = {}
        values: dict[Identity, list[API]] = {}
        for row in found:
            texts.setdefault(squeeze(row.source), []).append(row)
            if row.call is not None:
                identities.setdefault(identity(row.call), []).append(row)
                if not is_python(row.call.text):
                    values.setdefault(all_values(row.call), []).append(row)
        return cls(
            hub=hub,
            rows=found,
            by_identity={key: tuple(each) for key, each in identities.items()},
            by_text={key: tuple(each) for key, each in texts.items()},
            by_values={key: tuple(each) for key, each in values.items()},
            callees=frozenset(_last(row.call.callee) for row in found if row.call is not None),
        )

    def find(self, call: Call) -> tuple[API, ...]:
        """Return the rows that a call calls, in their order."""
        return self.by_identity.get(identity(call)) or self.by_values.get(all_values(call), ())

    def knows(self, callee: str) -> bool:
        """Return whether some row calls something of this last word."""
        return _last(callee) in self.callees


def load_database(path: Path, *, hub: str) -> Database:
    """Read a file of APIs.

    Raises:
        UsageError: There is no such file.
        FormatError: A row lacks its call or its domain.
    """
    rows: list[tuple[str, str]] = []
    for value, where in read_objects(path):
        rows.append((text_of(value, "api_call", where), text_of(value, "domain", where)))
    if not rows:
        raise FormatError("there is no API in it", where=str(path))
    return Database.of(rows, hub=hub)


def first_call(source: str) -> Call | None:
    """Return the first call of a text that has arguments, else its first; None if there is none."""
    calls = list(find_calls(source))
    return next((call for call in calls if call.arguments), calls[0] if calls else None)


def identity(call: Call) -> Identity:
    """Return what a call calls: the callee, and the arguments that tell one API from another.

    A repository counts without the version that may follow its colon. Where no argument is known to
    identify anything, the positional ones do.
    """
    arguments = named_arguments(call)
    telling = {name: value for name, value in arguments.items() if name in _IDENTIFYING}
    if not telling:
        telling = {name: value for name, value in arguments.items() if name.isdigit() or name == "task"}
    return normal_callee(call.callee), tuple(
        without_version(telling[name]) if name == "repo_or_dir" else telling[name] for name in sorted(telling)
    )


def named_arguments(call: Call) -> dict[str, str]:
    """Return the values of a call by parameter; positional ones that have no known name by their number.

    One that stands twice keeps its first value under its name; the other is kept beside it.
    """
    names = _parameters(call.callee)
    taken = {argument.name for argument in call.arguments}
    free = iter([name for name in names if name not in taken])
    found: dict[str, str] = {}
    for position, argument in enumerate(call.arguments):
        name = argument.name or next(free, "") or str(position)
        found[name if name not in found else f"{name}#{position}"] = argument.value
    return found


def normal_callee(callee: str) -> str:
    """Return what is called without the name of its library."""
    for prefix in _PREFIXES:
        callee = callee.removeprefix(prefix)
    return callee


def all_values(call: Call) -> Identity:
    """Return what is called with every value, whatever their names and order."""
    return normal_callee(call.callee), tuple(sorted(argument.value for argument in call.arguments))


def same_api(call: Call, row: API) -> bool:
    """Return whether a call calls the API of a row."""
    return row.call is not None and (
        identity(call) == identity(row.call)
        or (not is_python(row.call.text) and all_values(call) == all_values(row.call))
    )


def squeeze(text: str) -> str:
    """Return a text without blanks."""
    return "".join(text.split())


def domains_of(rows: Iterable[API]) -> frozenset[str]:
    """Return the domains of rows, each once."""
    return frozenset(row.domain for row in rows)


def _parameters(callee: str) -> tuple[str, ...]:
    normal = normal_callee(callee)
    return _PARAMETERS.get(normal) or _PARAMETERS.get(_last(normal)) or ()


def _last(callee: str) -> str:
    return callee.rpartition(".")[2]


def without_version(value: str) -> str:
    """Return a repository as source text without the version behind its colon; else the value as it is."""
    owner, slash, rest = value.partition("/")
    repository, colon, _ = rest.partition(":")
    return f"{owner}/{repository}'" if slash and colon and value.endswith("'") else value

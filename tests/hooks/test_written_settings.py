"""Settings behind a location, as a command line writes them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pytest

from toolhaft import Catalog, Registry, open_catalog
from toolhaft.errors import UnknownNameError, UsageError
from toolhaft.hooks import hookimpl
from toolhaft.hooks.written import read_setting, text_settings
from toolhaft.testing import CannedTool, tool_spec
from toolhaft.tools.source import ToolSource

if TYPE_CHECKING:
    from toolhaft.http import HTTPClient

Order = Literal["up", "down"]


class Shelf(ToolSource):
    """Keeps what it was given."""

    def __init__(
        self,
        *,
        live: bool = True,
        seed: int | None = None,
        share: float = 0.5,
        folder: Path | str | None = None,
        order: Order = "up",
        auth: Mapping[str, str] | None = None,
        client: HTTPClient | None = None,
        plain=3,
    ) -> None:
        self.given = (live, seed, share, folder, order, auth, plain)

    async def load(self, location: Any) -> Catalog:
        return Catalog([CannedTool(tool_spec("look"), 1)], name=location, report=self.given)


class Plain(ToolSource):
    """Takes no settings."""

    async def load(self, location: Any) -> Catalog:
        return Catalog([CannedTool(tool_spec("look"), 1)], name=location)


@pytest.fixture
def registry():
    class Shelves:
        @hookimpl
        def register_tool_sources(self):
            return {"shelf": Shelf, "plain": Plain}

    found = Registry()
    found.add(Shelves())
    return found


USUAL = (True, None, 0.5, None, "up", None, 3)


@pytest.mark.parametrize(
    ("location", "place", "given"),
    [
        ("shelf:a/b", "a/b", USUAL),
        ("shelf:a/b?", "a/b", USUAL),
        ("shelf:?seed=7", "", (True, 7, *USUAL[2:])),
        ("shelf:a?live=no&seed=-7&share=1e-1", "a", (False, -7, 0.1, *USUAL[3:])),
        ("shelf:a?live&folder=x%26y%20z", "a", (True, None, 0.5, "x&y z", *USUAL[4:])),
        ("shelf:a?order=down&plain=4", "a", (*USUAL[:4], "down", None, 4)),
        ("shelf:https://host/a?seed=7", "https://host/a?seed=7", USUAL),
    ],
)
def test_settings_behind_a_location_are_typed_by_the_factorys_hints(registry, location, place, given):
    catalog = open_catalog(location, registry=registry)
    assert (catalog.name, catalog.report) == (place, given)


def test_what_is_given_in_the_call_goes_before(registry):
    assert open_catalog("shelf:a?seed=7&live=0", registry=registry, seed=8).report[:2] == (False, 8)


def test_a_file_whose_name_has_a_question_mark_is_a_file(registry, tmp_path):
    path = tmp_path / "what?seed=7"
    path.touch()
    catalog = open_catalog(f"shelf:{path}", registry=registry)
    assert (catalog.name, catalog.report) == (str(path), USUAL)


def test_a_source_without_settings_gets_what_was_written(registry):
    assert open_catalog("plain:a?b=c", registry=registry).name == "a?b=c"


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("sed=7", "takes no setting 'sed' written behind it. Did you mean 'seed'"),
        ("auth=env:KEY", "takes no setting 'auth' written behind it"),
        ("client=x", "takes no setting 'client' written behind it"),
        ("=7", "takes no setting ''"),
        ("seed=1&seed=2", "'seed' is given twice"),
        ("seed=seven", "Write seed=a whole number"),
        ("seed", "Write seed=a whole number"),
        (f"seed={'9' * 5000}", "longer than 4000 characters"),
        (f"seed={'9' * 50}", "Write seed=a whole number"),
        ("share=nan", "Write share=a number"),
        ("share=inf", "Write share=a number"),
        ("live=maybe", "Write live=true or false"),
        ("folder=", "Write folder=text"),
    ],
    ids=range(13),
)
def test_settings_that_are_none_are_told(registry, written, said):
    with pytest.raises(UsageError) as caught:
        open_catalog(f"shelf:a?{written}", registry=registry)
    assert said in str(caught.value)


def test_an_unknown_scheme_stays_what_it_is(registry):
    with pytest.raises(UnknownNameError, match="shelv"):
        open_catalog("shelv:a?seed=7", registry=registry)


def test_hints_that_only_type_checkers_know_give_no_setting():
    assert text_settings(Shelf) == {
        "live": (bool,),
        "seed": (int,),
        "share": (float,),
        "folder": (str,),
        "order": (str,),
        "plain": (int,),
    }


def test_a_value_is_read_as_the_first_type_that_fits():
    kinds = (bool, int, float, str)
    values = [read_setting("x", text, kinds) for text in ("no", "7", "7.5", "seven")]
    assert values == [False, 7, 7.5, "seven"]

"""The page on planners says what the code does."""

import re
from dataclasses import fields
from pathlib import Path

from toolhaft.planners.dfsdt import DFSDT
from toolhaft.planners.profile import TOOLBENCH, Profile
from toolhaft.planners.tree import LEAVES, TRANSITIONS

PAGE = (Path(__file__).resolve().parents[2] / "docs/explanation/planners.md").read_text(encoding="utf-8")


def test_the_table_of_transitions_is_the_code_s():
    rows = re.findall(r"^\| `(\w+)` \| .* \| (nothing|(?:`\w+`(?:, )?)+) \|$", PAGE, re.MULTILINE)
    listed = {status: set(re.findall(r"`(\w+)`", following)) for status, following in rows}
    assert listed == {status: set(following) for status, following in TRANSITIONS.items()}
    assert {status for status, following in listed.items() if not following} == LEAVES


def test_the_table_of_settings_is_the_code_s():
    rows = re.findall(r"^\| `(\w+)` \| ([^|]+) \| ([^|]+) \| [^|]+ \|$", PAGE, re.MULTILINE)
    listed = {name: (default, theirs) for name, default, theirs in rows if name != "system"}

    def shown(value):
        words = {True: "yes", False: "no", None: "none"}
        return words[value] if value is None or isinstance(value, bool) else str(value).strip("'")

    assert listed == {
        field.name: tuple(
            f"`{text}`" if field.name == "counting" else text
            for text in (shown(getattr(DFSDT().profile, field.name)), shown(getattr(TOOLBENCH, field.name)))
        )
        for field in fields(Profile)
    }

"""Options that several commands share reach each of them as one value, and help shows them as options."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import pytest
import typer
from typer.testing import CliRunner

from toolhaft.cli.catalogs import Selection
from toolhaft.cli.option_groups import with_groups
from toolhaft.testing import tool_spec


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    width: Annotated[int, typer.Option(help="How wide.")] = 3
    mark: Annotated[list[str] | None, typer.Option("--mark", help="Marks.")] = None


@pytest.fixture
def command():
    app = typer.Typer()
    seen = []

    @app.command()
    @with_groups
    def draw(name: str, deep: bool = False, *, size: Size, loud: bool = False) -> None:
        """Draw it."""
        seen.append((name, deep, size, loud))

    return lambda *words: (CliRunner().invoke(app, list(words)), seen)


def test_fields_are_options_and_the_command_gets_them_together(command):
    result, seen = command("cat", "--width", "5", "--mark", "a", "--mark", "b", "--loud")
    assert result.exit_code == 0, result.output
    assert seen == [("cat", False, Size(width=5, mark=["a", "b"]), True)]
    assert command("cat")[1][1] == ("cat", False, Size(), False)


def test_help_names_each_and_a_wrong_value_is_refused(command):
    shown = command("--help")[0].output
    assert "Draw it." in shown
    assert "--width" in shown
    assert "How wide." in shown
    assert command("cat", "--width", "wide")[0].exit_code == 2


@pytest.mark.parametrize(
    ("asked", "fits"),
    [
        ({}, True),
        ({"tag": ["pets"]}, True),
        ({"tag": ["p*"], "method": ["get", "post"]}, True),
        ({"tag": ["pets"], "method": ["post"]}, False),
        ({"path": ["/pets/*"]}, True),
        ({"operation": ["listPets"]}, True),
        ({"operation": ["list_pets"]}, True),
        ({"operation": ["show*"]}, False),
    ],
)
def test_a_selection_includes_what_fits_each_of_its_options(asked, fits):
    facts = {"method": "GET", "path": "/pets/all", "operation_id": "listPets"}
    spec = tool_spec("list_pets", effect="read", tags=("pets",), metadata=facts)
    assert Selection(**asked).includes(spec) is fits

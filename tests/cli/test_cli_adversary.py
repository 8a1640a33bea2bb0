"""What strangers wrote, on its way to a terminal."""

import io
import json
import sys

import pytest

from toolhaft.agent import Agent
from toolhaft.cli.output import notice, print_error, print_json, print_line, print_table
from toolhaft.cli.run import watch
from toolhaft.errors import UsageError
from toolhaft.secrets import SecretStore
from toolhaft.testing import ScriptedModel

HOSTILE = "\x1b[31m csi \x9b31m osc \x9d0;x\x07 del \x7f turn \u202e line \u2028 half \ud800 \U000e0041 日本"


@pytest.fixture
def screen(monkeypatch):
    """Replace stdout and stderr by a stream of an encoding; return what was written."""

    def make(encoding):
        stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding, write_through=True)
        monkeypatch.setattr(sys, "stdout", stream)
        monkeypatch.setattr(sys, "stderr", stream)
        return lambda: stream.buffer.getvalue().decode(encoding)

    return make


@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "latin-1"])
def test_json_cannot_command_a_terminal_and_stays_json(screen, encoding):
    written = screen(encoding)
    print_json({HOSTILE: [HOSTILE]})
    text = written()
    assert all(character.isprintable() or character == "\n" for character in text)
    assert json.loads(text) == {HOSTILE: [HOSTILE]}
    assert ("日本" in text) == (encoding == "utf-8")


def test_deep_json_is_printed(screen):
    written = screen("utf-8")
    value = []
    for _ in range(900):
        value = [value]
    print_json(value)
    assert json.loads(written()) == value


@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "latin-1"])
def test_no_way_of_printing_commands_a_terminal_or_fails(screen, encoding):
    written = screen(encoding)
    print_line(HOSTILE)
    print_table(("A", "B"), [(HOSTILE, HOSTILE)])
    notice(HOSTILE)
    print_error(UsageError(HOSTILE, where=HOSTILE, hint=HOSTILE))
    assert all(character.isprintable() or character == "\n" for character in written())


@pytest.mark.parametrize("turns", [("The key is canary-4711",), ("canary-4711 thought", "canary-4711")])
def test_the_live_tree_shows_no_secret_that_a_model_repeats(screen, turns):
    written = screen("utf-8")
    agent = Agent([], model=ScriptedModel(*turns), secrets=SecretStore({"KEY": "canary-4711"}))
    watch(agent, "canary-4711?", [], quiet=False)
    assert "[secret memory:KEY]" in written()
    assert "canary" not in written()

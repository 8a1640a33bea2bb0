"""The loop behind the sync faces outlives what would end a program."""

import asyncio
import subprocess
import sys

import pytest

from toolhaft.tools.loop import run_sync


async def _leave(error):
    raise error


async def _answer():
    await asyncio.sleep(0)
    return 7


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt()], ids=["exit", "interrupt"])
def test_what_ends_a_program_reaches_the_caller_and_leaves_the_loop_running(error):
    with pytest.raises(type(error)):
        run_sync(_leave(error))
    assert run_sync(_answer()) == 7


@pytest.mark.slow
def test_a_reader_that_goes_away_ends_the_command():
    command = [sys.executable, "-m", "toolhaft", "run", "Weather in Oslo?", "--tools", "world:"]
    with subprocess.Popen(
        [*command, "--model", "heuristic"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    ) as process:
        process.stderr.readline()
        process.stderr.close()
        assert process.wait(30) != 0

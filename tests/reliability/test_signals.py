"""A batch at the command line that is interrupted: it ends soon, leaves nothing running, and goes on."""

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow  # starts a command line for each case

JOBS = 30
MARK = "RELIABILITY_TEST"
"""A variable by which a command's processes are known."""
SECONDS = 5.0
"""In which it must have ended."""


class Command:
    """``toolhaft batch`` on the service's own OpenAPI document, with a model behind HTTP.

    Args:
        folder: For its files.
        service: That it calls.
        words: More of its command line.
    """

    def __init__(self, folder, service, *words):
        self.folder = folder
        self.service = service
        self.words = words
        self.process = None
        self.log = folder / "output"
        document, tasks = folder / "effects.json", folder / "tasks.txt"
        document.write_text(json.dumps(service.document()))
        tasks.write_text("".join(f"Deal with n{number}\n" for number in range(JOBS)))

    def start(self, **environment):
        """Start it in a process group of its own."""
        host = f"127.0.0.1:{self.service.port}"
        command = [sys.executable, "-m", "toolhaft", "batch", "tasks.txt", "--tools", "openapi:effects.json"]
        command += ["--model", f"http://{host}/v1#clerk", "--allow-host", host, "--allow", "write"]
        command += ["-o", "batch", *self.words]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command,
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                env=os.environ | environment | {MARK: str(self.folder)},
            )
        return self

    def alive(self):
        """Whether it runs."""
        return self.process.poll() is None

    def clean(self):
        """Kill whatever is left."""
        for pid in self.left():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait(10)

    def left(self):
        """Return the living processes that it started, and itself, in whatever group they are."""
        found = []
        mark = f"{MARK}={self.folder}".encode()
        for path in Path("/proc").glob("[0-9]*/environ"):
            with contextlib.suppress(OSError):  # ended meanwhile, or a kernel's own
                if mark in path.read_bytes().split(b"\0"):
                    found.append(int(path.parent.name))
        return found

    def said(self):
        """Return what it wrote."""
        return self.log.read_text()[-3000:]

    def counts(self):
        """Return how often the plain writes arrived."""
        return [self.service.arrived["send", f"n{number}"] for number in range(JOBS)]


@pytest.fixture
def command(tmp_path, service):
    made = []

    def make(*words):
        made.append(Command(tmp_path, service, *words))
        return made[-1]

    yield make
    for one in made:
        if one.process is not None:
            one.clean()


def wait_until_gone(command, seconds):
    """Wait for every process of a command to end; return who is left."""
    end = time.monotonic() + seconds
    while (left := command.left()) and time.monotonic() < end:
        time.sleep(0.02)
    return left


def interrupt(command, number, draw, *, whole_group):
    """Interrupt it at a random moment; check how it ends; return whether it was interrupted."""
    command.start()
    if draw.random() < 0.2:
        time.sleep(draw.random() * 0.8)  # perhaps while it starts
    else:
        command.service.wait_for(
            command.service.total + draw.randrange(1, 30), alive=command.alive, timeout=20
        )
    alive = command.alive()
    begun = time.monotonic()
    if alive:
        if whole_group:  # as Ctrl-C at a terminal does
            os.killpg(command.process.pid, number)
        else:
            command.process.send_signal(number)
    try:
        code = command.process.wait(SECONDS + 1)
    except subprocess.TimeoutExpired:
        raise AssertionError(f"still running: {command.said()}") from None
    took = time.monotonic() - begun
    left = wait_until_gone(command, 1.0)
    assert left == [], "processes are left"
    assert took <= SECONDS
    assert "Traceback" not in command.said(), command.said()
    # One that was just ending may end by itself, and one that was just starting by the signal.
    assert code in (128 + number, -number, 0, 3), command.said()
    return code == 128 + number


def check_resumed(command):
    """Let it go on to its end, and check what was done."""
    command.start()
    code = command.process.wait(60)
    assert code in (0, 4), command.said()
    assert "Traceback" not in command.said()
    lines = (command.folder / "batch/trajectories.jsonl").read_text().splitlines()
    records = [json.loads(line) for line in lines]
    assert len(records) == JOBS
    assert {record["status"] for record in records} == {"answered"}
    assert max(command.counts()) <= 1
    assert sum(command.counts()) >= JOBS - 8
    assert command.counts().count(1) == JOBS or code == 4
    keys = [command.service.keys["put", f"n{number}"] for number in range(JOBS)]
    assert all(len(one) == 1 for one in keys)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("executor", ["local", "process"])
def test_a_batch_can_be_interrupted_and_goes_on(command, executor, seed):
    draw = random.Random(f"signal {executor} {seed}")
    words = ("--executor", executor, "--workers", "2") if executor == "process" else ()
    batch = command(*words)
    stopped = 0
    for _ in range(5):
        number = draw.choice([signal.SIGINT, signal.SIGTERM])
        stopped += interrupt(batch, number, draw, whole_group=draw.random() < 0.5)
    assert stopped
    check_resumed(batch)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("executor", ["local", "process"])
def test_a_batch_whose_calls_do_not_return_ends_all_the_same(command, service, executor, number):
    batch = command("--executor", executor)
    service.delay = 60.0
    batch.start()
    assert service.wait_for(1, alive=batch.alive), batch.said()
    begun = time.monotonic()
    batch.process.send_signal(number)
    assert batch.process.wait(SECONDS + 1) == 128 + number, batch.said()
    assert time.monotonic() - begun <= SECONDS
    assert wait_until_gone(batch, 1.0) == []
    service.delay = 0.002
    check_resumed(batch)


@pytest.mark.parametrize("executor", ["local", "process"])
def test_the_second_interrupt_ends_at_once(command, service, executor):
    batch = command("--executor", executor)
    service.delay = 60.0
    batch.start()
    assert service.wait_for(1, alive=batch.alive), batch.said()
    batch.process.send_signal(signal.SIGINT)
    time.sleep(0.3)
    begun = time.monotonic()
    batch.process.send_signal(signal.SIGINT)
    assert batch.process.wait(SECONDS) == 130
    assert time.monotonic() - begun < 1
    assert wait_until_gone(batch, 1.0) == []


@pytest.mark.parametrize("point", ["worker-item:9", "worker-result:11"])
def test_workers_that_die_are_replaced(command, service, point):
    batch = command("--executor", "process", "--workers", "2", "--concurrency", "4")
    batch.start(TOOLHAFT_CRASH_AT=point)
    assert batch.process.wait(60) in (0, 4), batch.said()
    assert wait_until_gone(batch, 1.0) == []
    check_resumed(batch)


def test_a_killed_batch_takes_its_workers_with_it(command, service):
    batch = command("--executor", "process", "--workers", "2")
    for _ in range(4):
        batch.start()
        service.wait_for(service.total + 8, alive=batch.alive, timeout=20)
        batch.process.kill()
        batch.process.wait(10)
        assert wait_until_gone(batch, 3.0) == []
    check_resumed(batch)


@pytest.mark.parametrize("seed", range(3))
def test_a_signal_to_every_process_is_one_to_the_first(command, seed):
    """As a service manager sends it: to all that it knows."""
    draw = random.Random(f"everybody {seed}")
    batch = command("--executor", "process", "--workers", "2").start()
    batch.service.wait_for(draw.randrange(1, 40), alive=batch.alive, timeout=20)
    for pid in batch.left():
        os.kill(pid, signal.SIGTERM)
    assert batch.process.wait(SECONDS + 1) == 143, batch.said()
    assert wait_until_gone(batch, 1.0) == []
    check_resumed(batch)

"""Processes of a batch: forked by a nursery, waited for, killed."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

FOLDER = Path(__file__).parent
PROGRAM = FOLDER / "effect_batch.py"


class Nursery:
    """Starts `effect_batch` in processes of their own, quickly; see the program ``nursery.py``."""

    def __init__(self):
        self._process = subprocess.Popen(
            [sys.executable, FOLDER / "nursery.py"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self._children = []

    def start(self, folder, port, *words, crash="", log=None):
        """Start a batch in a folder; its output goes to a file, by default beside that."""
        log = log or Path(f"{folder}.log")
        words = [str(word) for word in (folder, port, *words)]
        child = Child(self, self.ask(start=words, crash=crash, log=str(log)), log)
        self._children.append(child)
        return child

    def ask(self, **command):
        """Send a command, and return its answer."""
        self._process.stdin.write(json.dumps(command) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def end_children(self):
        """Kill whatever a test left behind."""
        for child in self._children:
            if child.poll() is None:
                child.kill()
        self._children.clear()

    def close(self):
        """End the nursery."""
        self.end_children()
        self._process.stdin.close()
        self._process.wait(10)
        self._process.stdout.close()


class Child:
    """One process of a nursery."""

    def __init__(self, nursery, pid, log):
        self.pid = pid
        self.log = log
        self.code = None
        self._nursery = nursery

    def poll(self):
        """Return the exit code, or None while it runs."""
        if self.code is None:
            self.code = self._nursery.ask(wait=self.pid)
        return self.code

    def alive(self):
        """Whether it still runs."""
        return self.poll() is None

    def wait(self, timeout=60.0):
        """Wait for the end; return the exit code."""
        end = time.monotonic() + timeout
        while self.poll() is None:
            if time.monotonic() > end:
                self.kill()
                raise AssertionError(f"process {self.pid} did not end within {timeout} s: {self.said()}")
            time.sleep(0.002)
        return self.code

    def send(self, number):
        """Send a signal, unless it ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def pause(self):
        """Stop it, and wait until it stands still, in the middle of whatever it does; `resume` ends that."""
        self.send(signal.SIGSTOP)
        end = time.monotonic() + 10
        while self.poll() is None and not all(state in "tT" for state in self._states()):
            assert time.monotonic() < end
            time.sleep(0.001)

    def resume(self):
        """Have it go on."""
        self.send(signal.SIGCONT)

    def _states(self):
        found = []
        for path in Path(f"/proc/{self.pid}/task").glob("*/stat"):
            try:
                found.append(path.read_text().rpartition(")")[2].split()[0])
            except OSError:  # the thread has ended
                continue
        return found

    def kill(self):
        """Kill it with SIGKILL; return whether it still ran then."""
        self.send(signal.SIGKILL)
        return self.wait() == -signal.SIGKILL

    def said(self):
        """Return what it wrote."""
        return self.log.read_text()[-3000:] if self.log.exists() else ""

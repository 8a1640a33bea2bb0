"""Starts processes that run `effect_batch` without the time that importing takes: it forks.

Commands come as JSON lines: ``{"start": [words], "crash": "NAME:N", "log": path}`` is answered with the
process's id, ``{"wait": id}`` with its exit code (negative: a signal), or null while it runs.
"""

import json
import os
import sys
import tempfile
import traceback

import effect_batch

from toolhaft.runs import crash


def start(words, plan, log):
    """Fork, and run a batch in the child."""
    pid = os.fork()
    if pid:
        return pid
    code = 70
    try:
        os.setpgid(0, 0)
        handle = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(handle, 1)
        os.dup2(handle, 2)
        if plan:
            crash._PLAN = crash._Plan(plan)
        code = effect_batch.run(words)
    except BaseException:  # noqa: BLE001  (the child ends here, and must not go on as its parent)
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def wait(pid):
    """Return the exit code of a child, or None while it runs."""
    found, status = os.waitpid(pid, os.WNOHANG)
    return os.waitstatus_to_exitcode(status) if found else None


def main():
    """Serve commands until there are no more."""
    with tempfile.TemporaryDirectory() as folder:  # everything that is imported lazily is imported now
        effect_batch.run([folder, "9", "--jobs", "1"])
    for line in sys.stdin:
        command = json.loads(line)
        if "start" in command:
            answer = start(command["start"], command["crash"], command["log"])
        else:
            answer = wait(command["wait"])
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()

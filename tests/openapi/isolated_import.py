"""Import documents one by one, each in a process of its own that is watched; run as a program.

Reads a JSON list of ``[path, seconds]`` from standard input and prints, for each, one line of JSON: what came
of it, how long it computed, how much memory it needed, and what it touched.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import signal
import sys
import time

_NETWORK = ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto")
_EXECUTION = (
    "subprocess.Popen",
    "os.system",
    "os.exec",
    "os.posix_spawn",
    "compile",
    "exec",
    "pickle.find_class",
)


def watch(folder: str, touched: list[str]) -> None:
    """Note every socket, process and piece of code, and every file outside the document's folder."""
    known = tuple(os.path.realpath(path) for path in (*sys.path, sys.prefix, sys.base_prefix) if path)

    def note(event: str, arguments: tuple) -> None:
        if event in _NETWORK:
            touched.append(f"network {event}")
        elif event in _EXECUTION and not _is_own_code(event, arguments):
            touched.append(f"exec {event}")
        elif event == "open" and isinstance(arguments[0], str):
            path = os.path.realpath(arguments[0])
            if not path.startswith((folder, *known, "/dev/null", "/proc/self/statm")):
                touched.append(f"file_read {path}")

    sys.addaudithook(note)


def _is_own_code(event: str, arguments: tuple) -> bool:
    """Whether code is made by an import or a dataclass, not from the text of a document."""
    if event in ("compile", "exec"):
        frame = sys._getframe(2)
        while frame is not None:
            name = frame.f_code.co_filename
            if "importlib" in name or name.endswith(
                ("dataclasses.py", "typing.py", "enum.py", "collections/__init__.py")
            ):
                return True
            frame = frame.f_back
    return False


async def load(path: str) -> dict:
    """Import one document, build its tools, and say what came of it."""
    from toolhaft.errors import ToolhaftError
    from toolhaft.openapi.source import OpenAPISource
    from toolhaft.tools.schema import compile_schema

    try:
        catalog = await OpenAPISource().load(path)
    except ToolhaftError as error:
        return {"tools": 0, "error": error.what, "where": error.where, "code": error.code}
    largest = 0
    for name in list(catalog)[:200]:
        spec = catalog.spec(name)
        compile_schema(spec.parameters)
        largest = max(largest, len(json.dumps(spec.parameters).encode()))
    report = catalog.report
    await catalog.close()
    return {
        "tools": len(catalog),
        "names": list(catalog)[:200],
        "largest": largest,
        "operations": len(report.operations),
        "skipped": report.skipped,
        "degraded": report.degraded,
        "reasons": [reason for operation in report.operations[:200] for reason in operation.reasons],
        "warnings": list(report.warnings),
    }


def run_alone(path: str, seconds: float) -> dict:
    """Import one document in a child process that is ended when it takes too long."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        touched: list[str] = []
        started, before = time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        watch(os.path.dirname(os.path.realpath(path)), touched)
        signal.alarm(int(seconds * 4) + 2)
        found = asyncio.run(load(path))  # what is raised here ends the child, with its trace on stderr
        found["seconds"] = time.process_time() - started  # a busy machine takes longer on the clock
        found["mb"] = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
        found["touched"] = touched[:5]
        with os.fdopen(writer, "w") as out:
            json.dump(found, out)
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as answer:
        text = answer.read()
    _, status = os.waitpid(child, 0)
    return json.loads(text) if text else {"crash": f"ended with {os.waitstatus_to_exitcode(status)}"}


def main() -> None:
    """Import every document of standard input."""
    import jsonschema_rs  # noqa: F401 - so that no child has to
    import yaml  # noqa: F401

    import toolhaft.openapi.importing
    import toolhaft.openapi.source
    import toolhaft.tools.catalog  # noqa: F401

    for path, seconds in json.load(sys.stdin):
        print(json.dumps(run_alone(path, seconds)), flush=True)


if __name__ == "__main__":
    main()

"""What openapi-spec-validator says of a document: warnings for its author, never a gate.

A third of vendors' own documents fail it, it may take long, and it reads files and opens sockets where a
``$ref`` says so. So it runs in a process of its own that can be ended, gets the document that was read
already, and every reference outside that is refused, as is whatever else would open a file or a socket.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from toolhaft.errors import ToolhaftError, UsageError
from toolhaft.types.pointer import json_pointer

_MOST = 200
_LONGEST = 300


async def validate_location(
    location: Any, *, seconds: float = 60, allow_hosts: Sequence[str] = (), most: int = _MOST
) -> list[str]:
    """Read a document as an import does, and return what openapi-spec-validator finds in it.

    Args:
        location: Path, URL or parsed document.
        seconds: How long the validator may take; what it found by then is returned, with a note.
        allow_hosts: Private hosts that the document may be fetched from.
        most: Findings at most.

    Returns:
        One sentence a finding, with the JSON pointer of its place; empty if all is well.

    Raises:
        UsageError: The validator is not installed.
        SpecError: The document cannot be read at all.
    """
    from toolhaft.openapi.source import OpenAPISource

    source = OpenAPISource(allow_hosts=allow_hosts)
    try:
        document = await source.read(location)
    finally:
        await source.close()
    root = document.root
    if document.swagger:  # what was put beside it in the words of 3.0 is not its author's
        root = {key: value for key, value in root.items() if key not in ("servers", "components")}
    return await validate_documents({**document.files, "": root}, seconds=seconds, most=most)


async def validate_documents(
    documents: Mapping[str, Any], *, seconds: float = 60, most: int = _MOST
) -> list[str]:
    """Do what `validate_location` does for documents that are read: ``""`` is the root, others by URI."""
    from importlib.util import find_spec

    if find_spec("openapi_spec_validator") is None:
        raise UsageError(
            "openapi-spec-validator is not installed", hint="pip install 'toolhaft[validate]'", code="E-EXTRA"
        )
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        __name__,
        str(most),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    lines: list[str] = []
    late = False
    try:
        async with asyncio.timeout(seconds):
            await _exchange(process, json.dumps(dict(documents), default=str).encode(), lines)
    except TimeoutError:
        late = True
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
        await process.wait()
    if late:
        lines.append(f"not finished after {seconds:g} seconds; there may be more")
    elif process.returncode:
        said = (await process.stderr.read()).decode("utf-8", "replace").split("\n") if process.stderr else []
        reason = next((line for line in reversed(said) if line.strip()), "no reason given")
        lines.append(f"it gave up on this document: {reason[:_LONGEST]}")
    return lines


async def _exchange(process: asyncio.subprocess.Process, text: bytes, lines: list[str]) -> None:
    writer, reader = process.stdin, process.stdout
    if writer is None or reader is None:
        return
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        writer.write(text)
        await writer.drain()
    writer.close()
    async for line in reader:
        lines.append(json.loads(line))
    await process.wait()


class _Loaded(Mapping[str, Any]):
    """Answers for every scheme: with a document that was read, or a refusal."""

    def __init__(self, documents: Mapping[str, Any]) -> None:
        self._documents = documents

    def __getitem__(self, scheme: str) -> Any:
        return self._open

    def __contains__(self, scheme: object) -> bool:
        return True

    def __iter__(self) -> Any:
        return iter(("http", "https", "file", ""))

    def __len__(self) -> int:
        return 4

    def _open(self, uri: str) -> Any:
        if uri not in self._documents:
            raise UsageError("not followed: only what was read already is", where=uri[:200])
        return self._documents[uri]


def _refuse_outside(event: str, arguments: tuple[Any, ...]) -> None:
    """Keep the process from what no validation needs; for `sys.addaudithook`, which cannot be taken back."""
    if event in ("socket.connect", "socket.getaddrinfo", "subprocess.Popen", "os.system", "os.exec"):
        raise PermissionError(f"{event} is refused")
    if event == "open" and isinstance(arguments[0], str):
        home = Path(arguments[0]).resolve()
        roots = {Path(root).resolve() for root in (sys.prefix, sys.base_prefix, *sys.path) if root}
        if not any(home.is_relative_to(root) for root in roots):
            raise PermissionError(f"opening {arguments[0]} is refused")


def _print_findings(documents: Mapping[str, Any], most: int) -> None:
    import mimetypes

    from jsonschema_path import SchemaPath
    from openapi_spec_validator import (
        OpenAPIV2SpecValidator,
        OpenAPIV30SpecValidator,
        OpenAPIV31SpecValidator,
        OpenAPIV32SpecValidator,
    )

    root = documents[""]
    version = str(root.get("openapi") or root.get("swagger") or "")
    kinds = {"2": OpenAPIV2SpecValidator, "3.0": OpenAPIV30SpecValidator, "3.2": OpenAPIV32SpecValidator}
    kind: Any = next((kinds[key] for key in kinds if version.startswith(key)), OpenAPIV31SpecValidator)
    mimetypes.init()  # read by the validator's loader of its own schemas, from outside its package
    sys.addaudithook(_refuse_outside)
    validator = kind(SchemaPath.from_dict(root, handlers=_Loaded(documents)))
    for error in islice(validator.iter_errors(), most):
        pointer = json_pointer(error.absolute_path)
        message = str(error.message).split("\n", 1)[0][:_LONGEST]
        sys.stdout.write(json.dumps(f"{pointer}: {message}" if pointer else message) + "\n")
        sys.stdout.flush()


def _tell(kind: type[BaseException], error: BaseException, _: object) -> None:
    sys.stderr.write(f"{kind.__name__}: {str(error)[:_LONGEST]}\n")


def _main() -> None:
    import warnings

    warnings.simplefilter("ignore")
    sys.excepthook = _tell  # one line: nobody reads a long one to its end
    documents = json.load(sys.stdin)
    try:
        _print_findings(documents, int(sys.argv[1]))
    except ToolhaftError as error:
        sys.stdout.write(json.dumps(str(error)) + "\n")


if __name__ == "__main__":
    _main()

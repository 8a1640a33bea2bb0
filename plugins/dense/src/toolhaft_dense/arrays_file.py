"""Arrays in one file that is mapped, not read: a header of JSON, then their bytes and checksums of these."""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Iterable, Mapping
from pathlib import Path
from secrets import token_hex
from typing import Any

from toolhaft.models.parsing import read_json
from toolhaft_dense.checks import Checks, length_of_checks, write_checks

_MAGIC = b"toolhaft arrays 1\n"
_LENGTH = 8
_DIGEST = 16
_ALIGNED = 64
_LARGEST_HEADER = 1_000_000
_MOST_NUMBERS = 10**12
CHECKED_AT_ONCE = 64 * 1024 * 1024
"""Bytes of arrays up to which all are checked when a file is opened, which takes some 10 ms."""
_TYPES = ("int8", "uint8", "int32", "uint32", "int64", "uint64", "float32")

DAMAGES = (OSError, ValueError, TypeError, KeyError, OverflowError, MemoryError, RecursionError)
"""What opening a damaged file may raise."""


def write_arrays(file: Path, arrays: Mapping[str, Any], facts: Mapping[str, Any] | None = None) -> None:
    """Write arrays beside a file's place, then move them there.

    Args:
        file: Its folder is made.
        arrays: By name; one may be a tuple of type, shape, and blocks of bytes that make it up in order.
        facts: Anything of JSON, kept in the header.

    Raises:
        OSError: The folder cannot be written, or the disk is full.
    """
    import numpy

    layout: dict[str, Any] = {}
    blocks: list[tuple[int, Iterable[Any]]] = []
    end = 0
    for name, array in arrays.items():
        if isinstance(array, tuple):
            kind, shape, parts = array
        else:
            whole = numpy.ascontiguousarray(array)
            kind, shape, parts = str(whole.dtype), whole.shape, (whole.data,)
        size = numpy.dtype(kind).itemsize * int(numpy.prod(shape, dtype=numpy.int64))
        layout[name] = {"type": kind, "shape": [int(length) for length in shape], "start": end}
        blocks.append((end, parts))
        end += -(-size // _ALIGNED) * _ALIGNED
    told = {"arrays": layout, "facts": dict(facts or {}), "size": end, "checked": True}
    header = json.dumps(told).encode()
    start = _start(len(header))
    file.parent.mkdir(parents=True, exist_ok=True)
    temporary = file.parent / f".{file.name}.{token_hex(8)}"
    try:
        with temporary.open("x+b") as stream:
            stream.write(_MAGIC + len(header).to_bytes(_LENGTH, "little") + _sum(header) + header)
            for place, parts in blocks:
                stream.seek(start + place)
                for part in parts:
                    stream.write(part)
            stream.truncate(start + end)
            write_checks(stream, start, end)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(file)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def open_arrays(file: Path) -> tuple[dict[str, Any], Checks]:
    """Return a file's arrays, memory-mapped and read-only, and what checks them.

    Where they are short all of them are checked at once, else all but the longest one.

    Raises:
        OSError: It cannot be read.
        ValueError: It is damaged, or of another kind. What else it may be is in `DAMAGES`.
    """
    import numpy

    if not stat.S_ISREG(file.lstat().st_mode):
        raise ValueError("it is no file of its own, but a link or a pipe")
    with file.open("rb") as stream:
        if stream.read(len(_MAGIC)) != _MAGIC:
            raise ValueError("it is no file of arrays")
        length = int.from_bytes(stream.read(_LENGTH), "little")
        digest = stream.read(_DIGEST)
        if length > _LARGEST_HEADER:
            raise ValueError("its header is beyond all measure")
        header = stream.read(length)
        size = os.fstat(stream.fileno()).st_size
    if _sum(header) != digest:
        raise ValueError("its header is damaged")
    content = read_json(header)
    start = _start(length)
    end = start + content["size"]
    full = end + length_of_checks(content["size"]) if content.get("checked") else end
    if size != full:
        raise ValueError(f"it has {size} bytes, not {full}")
    whole = numpy.memmap(file, dtype=numpy.uint8, mode="r")
    arrays = {name: _view(whole[start:end], entry) for name, entry in content["arrays"].items()}
    checks = Checks(file, whole[start:end], whole[end:].tobytes() if content.get("checked") else None)
    longest = max(arrays, key=lambda name: arrays[name].nbytes, default="")
    for name, array in arrays.items():
        checks.places[name] = (content["arrays"][name]["start"], array.nbytes // max(len(array), 1))
        if name != longest or content["size"] <= CHECKED_AT_ONCE:
            checks.check_rows(name, 0, len(array))
    return arrays, checks


def _view(data: Any, entry: Mapping[str, Any]) -> Any:
    import numpy

    shape, kind = tuple(entry["shape"]), entry["type"]
    if kind not in _TYPES or not all(isinstance(length, int) and length >= 0 for length in shape):
        raise ValueError("an array is of no type that is written here")
    count = 1
    for length in shape:
        count *= length
    if count > _MOST_NUMBERS:
        raise ValueError("an array is beyond all measure")
    end = entry["start"] + count * numpy.dtype(kind).itemsize
    if entry["start"] < 0 or entry["start"] % _ALIGNED or end > len(data):
        raise ValueError("an array lies outside of the file")
    return data[entry["start"] : end].view(kind).reshape(shape)


def _start(length: int) -> int:
    return -(-(len(_MAGIC) + _LENGTH + _DIGEST + length) // _ALIGNED) * _ALIGNED


def _sum(header: bytes) -> bytes:
    return hashlib.blake2b(header, digest_size=_DIGEST).digest()

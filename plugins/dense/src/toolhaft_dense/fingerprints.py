"""Digests of an encoder's files, remembered while the files stay as they are."""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Sequence
from pathlib import Path

from toolhaft.errors import ConfigError
from toolhaft.report.files import write_whole

_log = logging.getLogger(__name__)
_DIGEST = 16


def fingerprint(files: Sequence[Path], folder: Path) -> str:
    """Return a digest of the files' names and content, 32 hexadecimal digits; what is missing counts as that.

    To read 90 MB takes longer than to open an index. So the digest is kept in the user's cache, under the
    files' sizes and times of change.

    Args:
        files: Some in ``folder``.
        folder: Where they are.

    Raises:
        ConfigError: A file cannot be read.
    """
    from toolhaft.settings import load_settings

    memory = load_settings().data_dir / "cache" / "dense-models" / "fingerprints" / _looks(files)
    remembered = _remembered(memory)
    if remembered:
        return remembered
    digest = hashlib.blake2b(digest_size=_DIGEST)
    for file in files:
        digest.update(f"\0{file.relative_to(folder).as_posix()}\0".encode())
        if file.is_file():
            try:
                with file.open("rb") as content:
                    digest.update(hashlib.file_digest(content, "blake2b").digest())
            except OSError as error:
                raise ConfigError(f"cannot be read: {error.strerror}", where=str(file)) from None
    _remember(memory, digest.hexdigest())
    return digest.hexdigest()


def _looks(files: Sequence[Path]) -> str:
    """Return a digest of what a look at the files shows without reading them."""
    digest = hashlib.blake2b(digest_size=_DIGEST)
    for file in files:
        try:
            state = file.stat()
        except OSError:
            digest.update(f"\0{file}\0".encode("utf-8", "surrogatepass"))
            continue
        facts = (state.st_size, state.st_mtime_ns, state.st_ctime_ns, state.st_ino)
        digest.update(f"\0{file}\0{facts}".encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


def _remembered(memory: Path) -> str:
    try:
        content = memory.read_bytes()[: 4 * _DIGEST]
    except OSError:
        return ""
    return content.decode() if re.fullmatch(rb"[0-9a-f]{%d}" % (2 * _DIGEST), content) else ""


def _remember(memory: Path, content: str) -> None:
    try:
        memory.parent.mkdir(parents=True, exist_ok=True)
        write_whole(memory, [content.encode()])
    except OSError as error:  # it is read again the next time, no more
        _log.debug("not kept: %s: %s", memory, error)

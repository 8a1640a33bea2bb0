"""Plugins that hung or crashed when they were tried in a process of their own.

A crash at import would take every command with it, and a hang would delay each one; so what
``toolhaft plugins check`` and ``doctor`` found is kept, for as long as the plugin's files stay as they are.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

from toolhaft.hooks.distributions import Candidate

_FILE = "plugin-verdicts.json"
_LARGEST = 1 << 20
_MOST_FILES = 500

Verdicts = Mapping[str, tuple[str, str]]
"""``(stamp, reason)`` by entry point."""


def read_verdicts(data_dir: Path) -> Verdicts:
    """Return what was kept; a damaged file counts as none."""
    path = data_dir / _FILE
    try:
        if path.stat().st_size > _LARGEST:
            return {}
        stored = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    if not isinstance(stored, dict):
        return {}
    return {
        str(key): (str(entry[0]), str(entry[1]))
        for key, entry in stored.items()
        if isinstance(entry, list) and len(entry) == 2
    }


def find_verdict(verdicts: Verdicts, candidate: Candidate) -> str:
    """Return why a plugin must not be imported, or nothing if its files have changed since."""
    stamp, reason = verdicts.get(_key(candidate), ("", ""))
    if not reason or stamp != file_stamp(candidate):
        return ""
    return f"{reason} (found earlier; toolhaft plugins check {candidate.name} tries again)"


def store_verdict(data_dir: Path, candidate: Candidate, reason: str) -> None:
    """Keep why a plugin must not be imported; an empty reason forgets what was kept."""
    verdicts = dict(read_verdicts(data_dir))
    if not reason and _key(candidate) not in verdicts:
        return
    verdicts.pop(_key(candidate), None)
    if reason:
        verdicts[_key(candidate)] = (file_stamp(candidate), reason)
    data_dir.mkdir(parents=True, exist_ok=True)
    path = data_dir / _FILE
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    fresh.write_text(json.dumps(verdicts, indent=1), encoding="utf-8")
    fresh.replace(path)


def file_stamp(candidate: Candidate) -> str:
    """Return what changes when a plugin's version or any of its source files does; imports nothing."""
    import hashlib

    digest = hashlib.sha256(f"{candidate.version} {candidate.target}".encode())
    for path in _source_files(candidate):
        try:
            status = path.stat()
        except OSError:
            continue
        digest.update(f"{path} {status.st_size} {status.st_mtime_ns}".encode())
    return digest.hexdigest()


def _source_files(candidate: Candidate) -> list[Path]:
    from importlib.util import find_spec

    package = candidate.target.partition(":")[0].split(".")[0]
    try:
        spec = find_spec(package) if package else None
    except (ImportError, ValueError):
        return []
    if spec is None:
        return []
    if spec.submodule_search_locations is None:
        return [Path(spec.origin)] if spec.origin else []
    files = (path for folder in spec.submodule_search_locations for path in Path(folder).rglob("*.py"))
    return sorted(path for path, _ in zip(files, range(_MOST_FILES), strict=False))


def _key(candidate: Candidate) -> str:
    return f"{candidate.distribution} {candidate.name}"

"""Which engine serves a number of documents, and opening what was kept."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from importlib.util import find_spec
from itertools import chain, islice
from pathlib import Path

from toolhaft.errors import FormatError
from toolhaft.retrievers.lexical.base import Document, IndexSettings, TermIndex
from toolhaft.retrievers.lexical.manifest import Manifest, made_with, read_manifest
from toolhaft.retrievers.lexical.pure import PureIndex

SMALL = 2_000
"""Documents up to which pure Python serves: to import numpy takes longer than to index so many."""
_NO_ARRAYS = " (numpy is not installed)"
_ATTEMPTS = 3
_logger = logging.getLogger(__name__)


def build_index(
    documents: Iterable[Document],
    settings: IndexSettings,
    *,
    folder: Path | None = None,
    version: str = "",
    progress: Callable[[int], None] | None = None,
) -> TermIndex:
    """Index documents, read once, one after the other.

    Args:
        documents: In the order of the catalog.
        settings: How they are scored.
        folder: Where to keep the index; it need not exist. A folder that cannot be written is no error: the
            index is then held in memory, and a warning logged.
        version: Of the content; what the opened index tells. An index without one is not kept.
        progress: Called now and then with the number of documents read so far.
    """
    rest = iter(documents)
    few = list(islice(rest, SMALL + 1))
    if len(few) <= SMALL:
        return PureIndex.build(few, settings, folder=folder, version=version)
    if not has_arrays():
        return PureIndex.build(chain(few, rest), settings, note=_NO_ARRAYS, folder=folder, version=version)
    from toolhaft.retrievers.lexical.array_index import ArrayIndex

    return ArrayIndex.build(chain(few, rest), settings, folder=folder, version=version, progress=progress)


def open_index(folder: Path, settings: IndexSettings) -> TermIndex | None:
    """Open the index that is kept in a folder, whichever version of the content it has (see its ``version``).

    Returns None if there is none, or none of these settings. One that is damaged or foreign is logged as a
    warning that says so, and None comes back: the caller builds it anew.
    """
    for attempt in range(_ATTEMPTS):
        try:
            manifest = read_manifest(folder)
            if manifest is None or manifest.made_with != made_with(settings):
                return None
            return _open(folder, manifest, settings)
        except FileNotFoundError as error:
            # Another process may have replaced it between the manifest and the files that it names.
            if attempt + 1 == _ATTEMPTS:
                _logger.warning("%s: a file of the search index is missing; it is made anew", error.filename)
        except FormatError as error:
            _logger.warning("%s; it is made anew", error)
            return None
        except OSError as error:
            _logger.warning("%s: cannot read the search index: %s; it is made anew", folder, error)
            return None
    return None


def has_arrays() -> bool:
    """Return whether numpy is installed."""
    return find_spec("numpy") is not None


def _open(folder: Path, manifest: Manifest, settings: IndexSettings) -> TermIndex | None:
    if manifest.kind == "arrays" and has_arrays():
        from toolhaft.retrievers.lexical.array_index import ArrayIndex

        return ArrayIndex.open(folder, manifest, settings)
    if manifest.kind == "documents":
        index = PureIndex.open(folder, manifest, settings)
        # A catalog that has grown, or was indexed without numpy, is better served by arrays now.
        return None if len(index) > 2 * SMALL and has_arrays() else index
    return None

"""The tools of a Python module or file, as a source: ``python:package.module``, ``python:mytools.py``."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toolhaft.errors import UsageError
from toolhaft.tools.base import Tool
from toolhaft.tools.source import ToolSource

if TYPE_CHECKING:
    from toolhaft.tools.catalog import Catalog


class PythonSource(ToolSource):
    """Tools of an importable module, ``python:package.module``, or of a file, ``python:mytools.py``.

    Modules are also looked for in the current folder, after everywhere else.

    They are not kept in catalog files: opening a file that somebody sent must not import code.
    """

    async def load(self, location: Any) -> Catalog:
        """Import a module, which the user thereby trusts, and collect its tools.

        Raises:
            UsageError: There is no such module, or it has no tools.
        """
        from toolhaft.tools.catalog import Catalog

        name = str(location)
        module = _import_file(Path(name)) if name.endswith(".py") else _import(name)
        found = [value for value in vars(module).values() if isinstance(value, Tool)]
        if not found:
            raise UsageError("the module has no tools", where=str(location), hint="Decorate with @tool")
        return Catalog(found, name=str(location))


def _import(module: str) -> Any:
    from importlib import import_module

    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.append(here)  # last, so that nothing in the folder stands in for an installed module
    try:
        return import_module(module)
    except (ImportError, SyntaxError, ValueError, TypeError) as error:
        raise UsageError(
            f"cannot import it: {error}",
            where=f"python:{module}",
            hint="Name a module that Python finds, one in the current folder, or a file: python:mytools.py",
        ) from None


def _import_file(path: Path) -> Any:
    from importlib.util import module_from_spec, spec_from_file_location

    # A name of its own: two files may be called alike, and like an installed module.
    name = f"{path.stem}_{hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:8]}"
    spec = spec_from_file_location(name, path)
    if spec is None or spec.loader is None or not path.is_file():
        raise UsageError("there is no such file", where=f"python:{path}", hint="Check the path")
    module = module_from_spec(spec)
    sys.modules[name] = module  # type hints are looked up there
    try:
        spec.loader.exec_module(module)
    except (ImportError, SyntaxError) as error:
        raise UsageError(f"cannot import it: {error}", where=f"python:{path}") from None
    return module

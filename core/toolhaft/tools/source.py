"""Where catalogs come from: one source per scheme, as in ``openapi:petstore.yaml``."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from toolhaft.errors import SpecError
from toolhaft.types import ToolSpec

if TYPE_CHECKING:
    from toolhaft.tools.base import Tool
    from toolhaft.tools.catalog import Catalog


class ToolSource(ABC):
    """Makes a catalog from a location, and tools from what a catalog file kept of them."""

    @abstractmethod
    async def load(self, location: Any) -> Catalog:
        """Read the tools at a location: what stands behind ``scheme:``, or a parsed document.

        Raises:
            SpecError: The document cannot be read as what it should be.
            UsageError: There is nothing at the location.
        """

    def bind(self, spec: ToolSpec, binding: Mapping[str, Any]) -> Tool:
        """Make one tool from its spec and what ``Tool.binding`` returned when it was saved.

        The binding may come from a file that a stranger made: it must not choose code to run.

        Raises:
            SpecError: This source's tools are not kept in files; the default says so.
        """
        raise SpecError(
            f"tools of {type(self).__name__} are not kept in catalog files",
            where=spec.name,
            hint="Open their source itself",
        )

    def check_kept(self, read: Callable[[str], list[Any]]) -> None:
        """Check this source's settings against a catalog file that is being opened; the default does not.

        Args:
            read: Returns the different values at a JSON path in the file's bindings, as ``$.wire.server``.

        Raises:
            UsageError: A setting names what the file has not.
        """

    async def close(self) -> None:
        """Let go of what this source opened for its tools; the default has nothing to let go of.

        Called when the catalog is closed. Tools that are used nevertheless may open it again, or fail.
        """

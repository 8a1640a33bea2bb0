"""The image tools as a source: ``vision:`` is all of them, ``vision:crop_image,read_text`` some."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any

from toolhaft.errors import SpecError, UnknownNameError
from toolhaft.tools.source import ToolSource
from toolhaft.types import ToolSpec

if TYPE_CHECKING:
    from toolhaft.tools.base import Tool
    from toolhaft.tools.catalog import Catalog
    from toolhaft_vision.tool import ImageTool

TOOLS = {
    "crop_image": "crop",
    "resize_image": "resize",
    "find_edges": "edges",
    "find_lines": "lines",
    "find_shapes": "shapes",
    "count_circles": "circles",
    "read_text": "text",
    "read_qr_code": "codes",
    "find_faces": "faces",
    "remove_background": "cutout",
}
"""Name -> module of this package that holds it as ``TOOL``."""


class VisionSource(ToolSource):
    """Makes the image tools; what they need is imported when one is called."""

    async def load(self, location: Any = "") -> Catalog:
        """Return the tools.

        Args:
            location: Empty for all, or names with commas between.

        Raises:
            UnknownNameError: There is no tool of this name.
        """
        from toolhaft.tools.catalog import Catalog

        names = [name.strip() for name in str(location).split(",") if name.strip()] or list(TOOLS)
        for name in names:
            if name not in TOOLS:
                raise UnknownNameError("image tool", name[:80], tuple(TOOLS), where="vision:")
        return Catalog.lazy({name: partial(make_tool, name) for name in names}, name="vision")

    def bind(self, spec: ToolSpec, binding: Mapping[str, Any]) -> Tool:
        """Return the tool of a name that a catalog file kept; the file chooses nothing else.

        Raises:
            SpecError: There is no such tool.
        """
        name = binding.get("tool")
        if not isinstance(name, str) or name not in TOOLS:
            raise SpecError(f"there is no image tool {str(name)[:80]!r}", where=spec.name)
        made = make_tool(name)
        return made if spec.name == name else made.renamed(spec.name)


def make_tool(name: str) -> ImageTool:
    """Return one of the tools.

    Args:
        name: A key of `TOOLS`.
    """
    tool: ImageTool = import_module(f"toolhaft_vision.{TOOLS[name]}").TOOL
    return tool

"""Model cards as a source of tools."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toolhaft.errors import FormatError, SpecError, UsageError
from toolhaft.tools.source import ToolSource
from toolhaft_hub.card_tool import KIND, CardTool
from toolhaft_hub.normalising import Row, card_of

if TYPE_CHECKING:
    from toolhaft.tools.base import Tool
    from toolhaft.tools.catalog import Catalog
    from toolhaft.types import ToolSpec


class HubSource(ToolSource):
    """Reads model cards, and models that lie on this machine.

    A file of rows gives tools that write the code which loads a model. A folder with a model in it gives a
    tool that runs it; the weights are loaded at the first call.

    Args:
        memory: Bytes of weights that are held at once; the model used longest ago is let go for another.
        device: Where models run, as torch names it.
    """

    def __init__(self, *, memory: int = 2_000_000_000, device: str = "cpu") -> None:
        if memory < 1:
            raise UsageError("memory must be at least 1 byte", where="hub")
        self._memory = memory
        self._device = device

    async def load(self, location: Any) -> Catalog:
        """Read the cards of a file, or the models in a folder.

        Args:
            location: A file of rows in APIBench's layout (``.jsonl`` or ``.json``, also gzipped), a model's
                folder, or a folder of any of these.

        Returns:
            The catalog; ``catalog.report`` says what became of every row and folder.

        Raises:
            UsageError: There is nothing at the location.
            SpecError: Nothing in it can become a tool.
        """
        if not isinstance(location, str | Path) or not str(location):
            raise UsageError(
                "hub: needs a path", hint="Name a file of rows or a model's folder: hub:cards.jsonl"
            )
        from toolhaft.tools.threads import run_in_thread

        found: Catalog = await run_in_thread(self._read, {"path": Path(location)})
        return found

    def bind(self, spec: ToolSpec, binding: Mapping[str, Any]) -> Tool:
        """Make a card's tool again from the row that a catalog file kept.

        Raises:
            FormatError: The binding is damaged, or the spec is not what the row says.
        """
        row = binding.get("row")
        if binding.get("kind") != KIND or binding.get("format") != 1 or not isinstance(row, Mapping):
            raise FormatError("not a binding of a card's tool of format 1", where=spec.name)
        made = CardTool(spec.name, card_of(Row(row)), row, spec.source)
        if made.spec != spec:
            raise FormatError(
                "the tool is not what its card says", where=spec.name, hint="Import the cards again"
            )
        return made

    def _read(self, path: Path) -> Catalog:
        from toolhaft_hub.importing import Import, places_in
        from toolhaft_hub.shelf import Shelf

        found = Import()
        for each in places_in(path):
            if each.is_dir():
                found.add_folder(each)
            else:
                found.add_rows(each)
        if found.empty:
            raise SpecError(
                "no card or model in it can become a tool",
                where=str(path),
                hint=found.reasons() or "Name a file of rows in APIBench's layout, or a model's folder",
            )
        return found.catalog(path.name, Shelf(memory=self._memory, device=self._device))

"""ToolUniverse: Tool_Finder_Keyword; the tag is given as its category."""

from __future__ import annotations

import json
import logging
from typing import Any

from tooluniverse.tool_finder_keyword import ToolFinderKeyword

DISTRIBUTION = "tooluniverse"


class _Universe:
    """What the finder asks for its tools."""

    logger = logging.getLogger("universe")

    def __init__(self, tools: list[dict[str, Any]]) -> None:
        self.all_tool_dict = {tool["name"]: tool for tool in tools}
        self._tools = tools

    def return_all_loaded_tools(self, **_: Any) -> list[dict[str, Any]]:
        return list(self._tools)

    def load_tools(self, **_: Any) -> None:
        """Load none: these are all."""


class Search:
    """The finder over these tools."""

    def __init__(self, tools: list[dict[str, Any]], k: int) -> None:
        self._k = k
        known = [
            {
                "name": each["name"],
                "description": each["description"],
                "category": " ".join(each["tags"]),
                "type": "",
                "parameter": each["parameters"],
            }
            for each in tools
        ]
        self._finder = ToolFinderKeyword({"name": "Tool_Finder_Keyword"}, _Universe(known))
        self.find("warm up")

    def find(self, text: str) -> list[str]:
        """Return names, best first."""
        answer = self._finder._run_json_search({"description": text, "limit": self._k})
        return [tool["name"] for tool in json.loads(answer)["tools"]]

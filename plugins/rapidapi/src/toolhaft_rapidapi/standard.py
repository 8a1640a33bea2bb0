"""ToolBench's spelling of categories, tools, APIs and parameters.

Source: Qin et al., "ToolLLM" (arXiv 2307.16789), the released code's naming of functions: everything but
letters, digits and underscores becomes ``_``, runs are collapsed, a leading digit gets ``get_``, reserved
words get ``is_``, and a function is ``<api>_for_<tool>``, of which the last 64 characters are kept. Chinese
characters are kept as there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

_OTHER = re.compile(r"[^一-龥a-zA-Z0-9_^]+")
_RUN = re.compile(r"_+")
_RESERVED = frozenset(("from", "class", "return", "false", "true", "id", "and"))
LONGEST = 64


@lru_cache(maxsize=65_536)
def standard_name(text: str) -> str:
    """Return a tool's name as ToolBench spells it; empty if nothing of it is left."""
    plain = _RUN.sub("_", _OTHER.sub("_", text)).lower().strip("_")
    return f"get_{plain}" if plain[:1].isdigit() else plain


@lru_cache(maxsize=65_536)
def standard_word(text: str) -> str:
    """Return the name of an API or a parameter as ToolBench spells it."""
    plain = standard_name(text)
    return f"is_{plain}" if plain in _RESERVED else plain


def standard_parameter(text: str) -> str:
    """Return a parameter's name as ToolBench spells it; one of which nothing is left stays as it is."""
    return standard_word(text) or text


@lru_cache(maxsize=4096)
def standard_category(text: str) -> str:
    """Return a category as ToolBench spells it: blanks, commas and slashes become one ``_``."""
    return _RUN.sub("_", re.sub(r"[ ,/]", "_", text))


def function_name(tool: str, api: str) -> str:
    """Return the function that ToolBench shows a model for an API; two APIs may share one."""
    return f"{standard_word(api)}_for_{standard_name(tool)}"[-LONGEST:]


def standard_input(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return a call's input with its parameters' names as ToolBench spells them."""
    return {standard_parameter(str(name)): value for name, value in arguments.items()}

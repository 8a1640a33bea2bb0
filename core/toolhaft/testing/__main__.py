"""The process in which plugins are tried: ``python -m toolhaft.testing REPORT check NAME | load NAME...``.

The report is written to a file, for a plugin may print what it likes. The process then ends at once: a
plugin that hangs in a thread must not keep it.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from toolhaft.hooks.registry import Registry
from toolhaft.settings import load_settings
from toolhaft.testing.conformance import check_plugin
from toolhaft.types import to_value


def _report(action: str, names: list[str]) -> list[Any]:
    if action == "check":
        return [to_value(finding) for finding in check_plugin(names[0])]
    disabled = [*load_settings().disabled_plugins, *names]
    return [to_value(record) for record in Registry.load(disabled=disabled).plugins]


if __name__ == "__main__":
    import json

    text = json.dumps(_report(sys.argv[2], sys.argv[3:]))
    Path(sys.argv[1]).write_text(text, encoding="utf-8")
    os._exit(0)

"""Build the documentation: the pages of this folder and the reference generated from the code.

Usage: python docs/build.py [--pages-only]
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGES = ROOT / "build" / "docs"

sys.path.insert(0, str(ROOT / "docs"))


def write_pages() -> None:
    """Copy the written pages and generate the others."""
    import reference

    shutil.rmtree(PAGES, ignore_errors=True)
    shutil.copytree(ROOT / "docs", PAGES, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    for page in PAGES.rglob("*.md"):
        text = re.sub(
            r"\]\(\.\./\.\./plugins/(\w+)/README\.md\)", r"](../plugins/\1.md)", page.read_text("utf-8")
        )
        page.write_text(_plain_fences(text), encoding="utf-8")
    for name in ("README", "ARCHITECTURE", "SECURITY", "CONTRIBUTING", "CHANGELOG"):
        text = (ROOT / f"{name}.md").read_text(encoding="utf-8").replace("](docs/", "](")
        text = re.sub(r"\]\(plugins/(\w+)(/README\.md)?\)", r"](plugins/\1.md)", text)
        target = PAGES / f"{'index' if name == 'README' else name}.md"
        target.write_text(_plain_fences(text), encoding="utf-8")
    (PAGES / "plugins").mkdir()
    for page in ROOT.glob("plugins/*/README.md"):
        text = page.read_text(encoding="utf-8").replace("](../../docs/", "](../")
        text = re.sub(r"\]\(\.\./(\w+)/README\.md\)", r"](\1.md)", text)
        target = PAGES / "plugins" / f"{page.parent.name}.md"
        target.write_text(_plain_fences(text), encoding="utf-8")
    (PAGES / "reference" / "api.md").write_text(reference.api_page(ROOT / "core"), encoding="utf-8")
    (PAGES / "reference" / "errors.md").write_text(reference.errors_page(), encoding="utf-8")
    (PAGES / "reference" / "commands.md").write_text(reference.commands_page(), encoding="utf-8")


def _plain_fences(text: str) -> str:
    """Leave out what stands behind a code block's language: it is for the tests, and no site knows it."""
    return re.sub(r"^(```\w+) [^\n]*$", r"\1", text, flags=re.MULTILINE)


def main() -> int:
    """Write the pages and build the site; any warning fails the build."""
    write_pages()
    if "--pages-only" in sys.argv:
        return 0
    command = [sys.executable, "-m", "zensical", "build", "--strict", "--clean"]
    return subprocess.run(command, cwd=ROOT, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())

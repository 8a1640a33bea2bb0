"""The documentation tells the truth: its code blocks run, its site builds, its commands exist."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow  # runs every page

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted(
    path.relative_to(ROOT)
    for path in [
        ROOT / "README.md",
        ROOT / "ARCHITECTURE.md",
        *ROOT.glob("docs/**/*.md"),
        *ROOT.glob("plugins/*/README.md"),
    ]
)
FENCE = re.compile(r"^```(\w+)([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(page, language):
    return [
        (options.strip(), code)
        for found, options, code in FENCE.findall((ROOT / page).read_text(encoding="utf-8"))
        if found == language
    ]


def page_of(page):
    """Pages of plugins import what the plugins need, which takes seconds."""
    marks = [pytest.mark.slow] if str(page).startswith("plugins/") else []
    return pytest.param(page, id=str(page), marks=marks)


@pytest.mark.parametrize("page", [page_of(page) for page in PAGES if blocks(page, "python")])
def test_the_python_blocks_of_a_page_run_in_order(page, tmp_path):
    code = "\n".join(code for _, code in blocks(page, "python"))
    script = tmp_path / "page.py"
    script.write_text(code, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-W", "error", str(script)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("page", [page_of(page) for page in PAGES if blocks(page, "console")])
def test_the_commands_of_a_page_run(page, tmp_path):
    """Run each ``$ toolhaft ...`` line; lines that a bare checkout cannot run are marked ``no-run``."""
    for name, text in files_of(page).items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    for options, code in blocks(page, "console"):
        if "no-run" in options:
            continue
        for line in code.splitlines():
            if line.startswith("$ toolhaft"):
                words = shlex.split(line[2:], comments=True)
                done = subprocess.run(
                    words, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=100
                )
                assert done.returncode == 0, f"{line}\n{done.stderr}"


def files_of(page):
    """Return the files that a page tells its reader to write: blocks titled ``file=NAME``."""
    found = {}
    for _, options, code in FENCE.findall((ROOT / page).read_text(encoding="utf-8")):
        name = re.search(r"file=(\S+)", options)
        if name:
            found[name.group(1)] = code
    return found


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_links_between_pages_lead_somewhere(page):
    text = FENCE.sub("", (ROOT / page).read_text(encoding="utf-8"))
    generated = {"api.md", "errors.md", "commands.md"}
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", text):
        if "://" not in target and Path(target).name not in generated:
            assert ((ROOT / page).parent / target).exists(), target


@pytest.mark.slow
def test_the_site_builds_strictly():
    done = subprocess.run(
        [sys.executable, str(ROOT / "docs" / "build.py")], capture_output=True, text=True, timeout=110
    )
    assert done.returncode == 0, done.stdout + done.stderr
    fences = [page.name for page in (ROOT / "site").rglob("*.html") if "```" in page.read_text()]
    assert not fences, "a code block was not understood"
    reference = (ROOT / "build/docs/reference/api.md").read_text()
    for section in reference.split("\n## ")[1:]:
        assert "\n### " in section, f"nothing is told of {section.splitlines()[0]}"
    external = [
        (page.name, found)
        for page in (ROOT / "site").rglob("*.html")
        for found in re.findall(
            r"""<(?:script|link|img)[^>]+(?:src|href)="(https?://[^"]+)""", page.read_text()
        )
        if "canonical" not in found
    ]
    assert not external, "the site must not load anything from elsewhere"

"""The pages on plugins say what is true: their code runs, their tables hold what there is."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from toolhaft.hooks import Registry
from toolhaft.hooks.kinds import KINDS
from toolhaft.hooks.record import PluginRecord
from toolhaft.testing import write_distribution

DOCS = Path(__file__).resolve().parents[2] / "docs"
HOOKS = (DOCS / "reference/hooks.md").read_text(encoding="utf-8")
GUIDE = (DOCS / "how-to/write-a-plugin.md").read_text(encoding="utf-8")


def test_the_reference_lists_every_hook_with_what_it_makes():
    rows = re.findall(r"^\| `(register_\w+)` \|.*\| (.*) \|$", HOOKS, re.MULTILINE)
    expected = [(kind.hook, f"`{kind.base.replace(':', '.')}`") for kind in KINDS.values() if kind.called]
    assert rows[:-1] == expected
    assert rows[-1][0] == KINDS["command"].hook


def test_the_reference_lists_what_the_core_brings():
    (builtin,) = [each for each in Registry.load(disabled=()).plugins if each.name == "builtin"]
    table = HOOKS.partition("## What the core brings")[2].partition("##")[0]
    rows = dict(re.findall(r"^\| (\w+) \| (`.*`) \|$", table, re.MULTILINE))
    listed = {kind: tuple(re.findall(r"`([^`]+)`", names)) for kind, names in rows.items()}
    assert listed == dict(builtin.provides)


def test_the_reference_lists_the_fields_of_a_record():
    for name in PluginRecord.__dataclass_fields__:
        assert f"`{name}`" in HOOKS


@pytest.fixture
def guide_plugin(tmp_path):
    """Install the plugin of the guide in a folder, as the guide writes it."""
    blocks = dict(re.findall(r'```\w+ title="([\w.]+)"\n(.*?)```', GUIDE, re.DOTALL))
    import tomllib

    project = tomllib.loads(blocks["pyproject.toml"])["project"]
    write_distribution(
        tmp_path,
        project["name"],
        {name: text for name, text in blocks.items() if name.endswith(".py")},
        version=project["version"],
        requires=project["dependencies"],
        entry_points=project["entry-points"]["toolhaft"],
    )
    return tmp_path


def run(folder, *command, code=0, **variables):
    environment = os.environ | {"PYTHONPATH": str(folder)} | variables
    done = subprocess.run(
        [sys.executable, *command], capture_output=True, text=True, timeout=60, env=environment, cwd=folder
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout


def console(folder, text, code=0):
    """Run a command of the guide."""
    words = text.removeprefix("$ toolhaft ").split()
    return run(folder, "-c", "from toolhaft.cli.main import main; main()", *words, code=code)


@pytest.mark.slow
def test_the_plugin_of_the_guide_works_as_the_guide_says(guide_plugin):
    chosen, by_hand = re.findall(r"```py\n(.*?)```", GUIDE, re.DOTALL)
    run(guide_plugin, "-c", chosen)
    run(guide_plugin, "-c", by_hand, TOOLHAFT_DISABLE_PLUGINS="fuzzy")
    assert "2 passed" in run(guide_plugin, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(guide_plugin))


@pytest.mark.slow
def test_the_consoles_of_the_guide_show_what_is_printed(guide_plugin, tmp_path):
    shown = {
        block.splitlines()[0]: "\n".join(block.splitlines()[1:])
        for block in re.findall(r"```console[^\n]*\n(.*?)```", GUIDE, re.DOTALL)
    }
    new, check, doctor = (line for line in shown if line.startswith("$ toolhaft plugins "))
    assert console(tmp_path, new).strip() == shown[new]
    assert console(tmp_path, check).strip() == shown[check]
    module = guide_plugin / "fuzzy_search.py"
    text = module.read_text(encoding="utf-8")
    module.write_text(text.replace("def register_retrievers", "def register_retriever"), encoding="utf-8")
    printed = console(tmp_path, doctor, code=1).strip().splitlines()
    assert printed[:-1] == shown[doctor].splitlines()[:-1]
    assert printed[-1].endswith("ok, 1 FAILED, 0 disabled")

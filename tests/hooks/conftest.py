"""Plugins made up on the spot: real distributions in a folder, nothing installed."""

import sys

import pytest

from toolhaft.hooks import Registry
from toolhaft.testing import write_distribution

GOOD = '''
from toolhaft.hooks import hookimpl
from toolhaft.planners.base import Planner


class Still(Planner):
    """Does nothing."""

    def __init__(self, *, depth: int = 1):
        self.depth = depth

    def rollout(self, task, tools, model, context):
        raise NotImplementedError


@hookimpl
def register_planners():
    return {"NAME": "MODULE:Still"}
'''


class PluginFolder:
    """A folder of throw-away distributions."""

    def __init__(self, root):
        self.root = root
        self._count = 0

    def write(self, name, code, **fields):
        """Write a distribution ``acme-<name>`` with one module, and return the module's name."""
        module = fields.pop("module", f"acme_{name.replace('-', '_')}_{abs(hash(self.root)) % 10**8}")
        files = {f"{module}.py": code.replace("MODULE", module).replace("NAME", name)}
        fields.setdefault("entry_points", {name: module})
        fields.setdefault("distribution", f"acme-{name}")
        write_distribution(self.root, fields.pop("distribution"), files, **fields)
        return module

    def good(self, name="good", **fields):
        """Write a plugin that works: the planner of its name."""
        return self.write(name, GOOD, **fields)

    def load(self, **options):
        """Load what is installed and what is in the folder."""
        options.setdefault("disabled", ())
        return Registry.load(path=[str(self.root)], **options)

    def record(self, name, **options):
        """Load, and return what became of one plugin."""
        return next(each for each in self.load(**options).plugins if each.name == name)


@pytest.fixture
def plugins(tmp_path):
    """Give a folder for plugins; what they put on the path and into ``sys.modules`` is taken out again."""
    path, modules = list(sys.path), set(sys.modules)
    root = tmp_path / "site"
    root.mkdir()
    yield PluginFolder(root)
    sys.path[:] = path
    for name in set(sys.modules) - modules:
        if name.startswith("acme"):
            del sys.modules[name]

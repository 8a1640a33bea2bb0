"""Choosing by name: settings, types, and what is said when there is no such thing."""

import subprocess
import sys
import types

import pytest

from toolhaft.errors import ConfigError, PluginError, UnknownNameError, UsageError
from toolhaft.evaluators.base import Evaluator
from toolhaft.hooks import Registry, hookimpl
from toolhaft.hooks.first_party import FIRST_PARTY
from toolhaft.hooks.kinds import HOOKS, KINDS
from toolhaft.models.base import Model
from toolhaft.planners.base import Planner


class Named(Model):
    """Keeps what it was made with."""

    def __init__(self, *, name: str = "none", temperature: float = 0.0):
        self.name = name
        self.temperature = temperature

    async def complete(self, messages, tools=(), **options):
        raise NotImplementedError


class Deep(Planner):
    """Takes a setting."""

    def __init__(self, *, depth: int, width: int = 2):
        if depth < 0:
            raise ConfigError("depth is negative")
        self.depth = depth

    def rollout(self, task, tools, model, context):
        raise NotImplementedError


class Pack:
    """A plugin as an object."""

    @hookimpl
    def register_models(self):
        return {"named": Named, "https": Named, "ws": Named}

    @hookimpl
    def register_planners(self):
        return {
            "deep": Deep,
            "wrong": lambda: "not a planner",
            "raises": lambda: 1 / 0,
            "exits": lambda: sys.exit(2),
            "absent": "acme_absent.planner:P",
            "open": lambda **settings: Deep(depth=len(settings)),
            "text": "toolhaft.hooks.markers:PROJECT",
        }

    @hookimpl
    def register_commands(self):
        return {"train sft": "json:dumps"}


@pytest.fixture
def registry():
    registry = Registry()
    registry.add(Pack(), name="pack")
    return registry


@pytest.mark.parametrize(
    ("reference", "name"),
    [
        ("named", "none"),
        ("named:", "none"),
        ("named:qwen3", "qwen3"),
        ("named:a:b#c", "a:b#c"),
        ("named:C:\\models\\qwen", "C:\\models\\qwen"),
        ("https://host:8000/v1#qwen3", "https://host:8000/v1#qwen3"),
        ("ws://host/x", "ws://host/x"),
    ],
)
def test_a_model_reference_picks_the_factory_by_its_scheme(registry, reference, name):
    model = registry.model(reference, temperature=0.5)
    assert (model.name, model.temperature) == (name, 0.5)


def test_a_model_has_one_name(registry):
    assert registry.model("named", name="qwen3").name == "qwen3"
    with pytest.raises(UsageError, match="has its name already"):
        registry.model("named:a", name="b")


@pytest.mark.parametrize(
    ("make", "error", "parts"),
    [
        (lambda r: r.planner("deap"), UnknownNameError, ["unknown planner 'deap'", "Did you mean 'deep'?"]),
        (lambda r: r.planner("zzzz"), UnknownNameError, ["Known: absent, deep"]),
        (lambda r: r.planner(""), UnknownNameError, ["unknown planner ''"]),
        (lambda r: r.planner("\x1b[2J"), UnknownNameError, ["unknown planner '\\\\x1b[2J'"]),
        (
            lambda r: r.retriever("dense"),
            UnknownNameError,
            ["'toolhaft-dense[onnx]' && pip install --no-deps"],
        ),
        (lambda r: r.reranker("cross-encoder"), UnknownNameError, ["'toolhaft-dense[onnx]'"]),
        (lambda r: r.retriever("qdrant"), UnknownNameError, ["'toolhaft-dense[onnx,qdrant]'"]),
        (lambda r: r.model("hf:Qwen/Qwen3-0.6B"), UnknownNameError, ["pip install 'toolhaft-local[torch]'"]),
        (lambda r: r.evaluator("gold-recall"), UnknownNameError, ["pip install toolhaft-evals"]),
        (lambda r: r.model("gpt-5"), UnknownNameError, ["with its scheme, as in 'openai:gpt-5'"]),
        (lambda r: r.model("gpt-5"), UnknownNameError, ["'openai:gpt-5' (there are "]),
        (lambda r: r.model("namd"), UnknownNameError, ["Did you mean 'named'? (there are ", "named"]),
        (lambda r: r.model("zz:top"), UnknownNameError, ["Known: "]),
        (lambda r: r.names("planers"), UnknownNameError, ["unknown kind", "'planner'"]),
        (
            lambda r: r.planner("deep", dept=3),
            UsageError,
            ["planner 'deep' of the plugin 'pack'", "no setting 'dept'", "'depth'? Settings: depth, width"],
        ),
        (lambda r: r.planner("deep"), UsageError, ["needs the setting 'depth'", "Settings: depth, width"]),
        (lambda r: r.planner("deep", depth=-1), ConfigError, ["depth is negative"]),
        (lambda r: r.planner("wrong"), PluginError, ["planner 'wrong' of the plugin 'pack' made str, not a"]),
        (lambda r: r.planner("raises"), PluginError, ["'pack'", "ZeroDivisionError: division by zero"]),
        (lambda r: r.planner("exits"), PluginError, ["'pack'", "called sys.exit(2)"]),
        (lambda r: r.planner("absent"), PluginError, ["'pack'", "acme_absent"]),
        (lambda r: r.planner("text"), PluginError, ["toolhaft.hooks.markers:PROJECT", "not callable"]),
    ],
)
def test_what_goes_wrong_is_said(registry, make, error, parts):
    with pytest.raises(error) as caught:
        make(registry)
    assert type(caught.value) is error
    for part in parts:
        assert part in str(caught.value)


def test_settings_reach_the_factory(registry):
    assert registry.planner("deep", depth=3).depth == 3
    assert registry.planner("open", a=1, b=2).depth == 2


def test_a_command_is_not_called(registry):
    import json

    assert registry.command("train sft") is json.dumps


def test_names_and_records(registry):
    assert registry.names("model") == ("https", "named", "ws")
    assert registry.names("generator") == ()
    (record,) = registry.plugins
    assert (record.name, record.status, record.distribution) == ("pack", "ok", "")
    assert record.provides["command"] == ("train sft",)


def test_a_plugin_added_by_hand_comes_whole_or_not_at_all(registry):
    class Second:
        @hookimpl
        def register_evaluators(self):
            return {"fresh": "acme:E"}

        @hookimpl
        def register_planners(self):
            return {"deep": Deep}

    with pytest.raises(PluginError, match="the planner 'deep' is taken by the plugin 'pack'"):
        registry.add(Second())
    assert registry.names("evaluator") == ()
    with pytest.raises(PluginError, match="another plugin of this name"):
        registry.add(types.SimpleNamespace(), name="pack")
    with pytest.raises(PluginError, match="implements no hook"):
        registry.add(object(), name="thing")


def test_ctrl_c_in_a_plugin_added_by_hand_ends_us():
    class Slow:
        @hookimpl
        def register_planners(self):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Registry().add(Slow())


def test_a_failed_plugin_is_blamed_for_the_name_it_would_bring(plugins, monkeypatch):
    monkeypatch.setitem(FIRST_PARTY, "toolhaft-ray", {"executor": ("ray",)})
    plugins.write("ray", "raise OSError('no weights')", distribution="toolhaft-ray")
    with pytest.raises(UnknownNameError, match="The plugin 'ray' failed: its import raised OSError"):
        plugins.load().executor("ray")
    with pytest.raises(UnknownNameError, match="disabled: toolhaft plugins enable ray"):
        plugins.load(disabled=["ray"]).executor("ray")


def test_every_kind_has_its_hook_and_its_door():
    assert len(KINDS) == len(HOOKS) == 9
    assert all(callable(getattr(Registry, kind)) for kind in KINDS)


class Joined(Planner):
    """Is made of another planner."""

    def __init__(self, *, part: str = "deep", make_part=None):
        self.part = make_part and make_part("planner", part, {"depth": 3})

    def rollout(self, task, tools, model, context):
        raise NotImplementedError


def test_what_is_made_of_parts_gets_them_by_name(registry):
    pack = types.SimpleNamespace(register_planners=hookimpl(lambda: {"joined": Joined}))
    registry.add(pack, name="joiner")
    assert registry.planner("joined").part.depth == 3
    assert registry.planner("joined", make_part=None).part is None
    with pytest.raises(UnknownNameError, match="unknown planner 'deap'"):
        registry.planner("joined", part="deap")


def test_the_built_ins_come_in_through_the_entry_point():
    records = Registry.load(disabled=()).plugins
    assert (records[0].name, records[0].status, records[0].distribution) == ("builtin", "ok", "toolhaft")
    assert records[0].entry_point == "toolhaft.hooks.builtin"
    assert records[0].version


def test_the_default_is_loaded_once_and_a_loaded_one_is_new():
    assert Registry.default() is Registry.default()
    assert Registry.load() is not Registry.default()


def run(code):
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_core_works_without_its_metadata():
    code = (
        "import sys, importlib.metadata as m\n"
        "m.MetadataPathFinder.find_distributions = classmethod(lambda *a, **k: iter(()))\n"
        "from toolhaft.hooks import Registry\n"
        "print(Registry.load().executor('local').name, len(Registry.load().plugins))"
    )
    assert run(code) == "local 1\n"


def test_loading_imports_nothing_heavy_and_importing_toolhaft_loads_nothing():
    code = (
        "import sys, toolhaft, toolhaft.hooks\n"
        "print('pluggy' in sys.modules, 'importlib.metadata' in sys.modules)\n"
        "toolhaft.hooks.Registry.load(disabled=['evals'])\n"
        "heavy = {'httpx', 'pydantic', 'jsonschema', 'jsonschema_rs', 'yaml', 'rich', 'typer', 'numpy',\n"
        "         'asyncio', 'email.parser'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    assert run(code) == "False False\n[]\n"


def test_a_process_ends_although_a_plugin_still_hangs(plugins):
    plugins.write("sleeps", "import time\ntime.sleep(600)")
    plugins.write(
        "stubborn", "while True:\n    try:\n        while True: pass\n    except BaseException: pass"
    )
    code = (
        f"from toolhaft.hooks import Registry\nr = Registry.load(path=[{str(plugins.root)!r}], timeout=0.2)\n"
        "print(sorted(p.name for p in r.plugins if p.status == 'FAILED'), r.executor('local').name)"
    )
    assert run(code) == "['sleeps', 'stubborn'] local\n"


def test_a_factory_type_is_checked_by_kind(plugins):
    plugins.good()
    registry = plugins.load()
    with pytest.raises(UnknownNameError):
        registry.evaluator("good")
    assert not isinstance(registry.planner("good"), Evaluator)

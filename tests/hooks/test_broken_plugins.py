"""Every way to be broken: named, set aside, and everything else works."""

import sys
import threading
import time

import pytest

from toolhaft.errors import PluginError

pytestmark = pytest.mark.slow

HOOK = "from toolhaft.hooks import hookimpl\n@hookimpl\ndef register_planners():\n    "
PLANNER = "from toolhaft.planners.base import Planner\nclass P(Planner):\n    def rollout(self, *a): pass\n"

# name, module text, options of the distribution, what the reason must say
BROKEN = [
    ("raises", "raise RuntimeError('no luck')", {}, ["import raised RuntimeError: no luck"]),
    ("raises-nothing", "raise ValueError", {}, ["import raised ValueError"]),
    ("group", "raise ExceptionGroup('several', [ValueError('a')])", {}, ["several (1 sub-exception)"]),
    ("exits", "import sys; sys.exit(3)", {}, ["called sys.exit(3)"]),
    ("quits", "raise SystemExit", {}, ["called sys.exit(None)"]),
    ("interrupts", "raise KeyboardInterrupt", {}, ["KeyboardInterrupt"]),
    ("own-base", "class Odd(BaseException): pass\nraise Odd('x')", {}, ["Odd: x"]),
    ("recursion", "def f(): f()\nf()", {}, ["RecursionError"]),
    (
        "mute",
        "class Mute(Exception):\n    def __str__(self): raise RuntimeError\nraise Mute",
        {},
        ["Mute", "str() failed"],
    ),
    ("syntax", "def broken(:\n    pass", {}, ["syntax error in", "acme_syntax", "line 1"]),
    ("indent", "if True:\npass", {}, ["syntax error", "line 2"]),
    ("null", "x = '\0'", {}, ["import raised SyntaxError", "null"]),
    ("needs", "import absent_lib", {"requires": ["absent-lib>=2"]}, ["absent_lib", "pip install absent-lib"]),
    (
        "needs-extra",
        "import absent_lib.deep",
        {"requires": ['absent-lib; extra == "fast"']},
        ["absent_lib", "pip install 'acme-needs-extra[fast]'"],
    ),
    ("needs-other", "import absent_cv", {}, ["absent_cv", "the package that provides the module"]),
    ("no-module", "", {"entry_points": {"no-module": "acme_gone.plugin"}}, ["acme_gone"]),
    (
        "no-attribute",
        "x = 1",
        {"module": "acme_attr", "entry_points": {"no-attribute": "acme_attr:plugin"}},
        ["acme_attr has no 'plugin'"],
    ),
    ("no-hook", "x = 1", {}, ["implements no hook"]),
    ("unmarked", "def register_planners():\n    return {}", {}, ["register_planners is not marked"]),
    ("unmarked-other", "def register():\n    pass", {}, ["no hook", "register is not marked with @hookimpl"]),
    (
        "misspelt",
        "from toolhaft.hooks import hookimpl\n@hookimpl\ndef register_planer():\n    return {}",
        {},
        ["no hook register_planer", "did you mean register_planners?"],
    ),
    (
        "far-off",
        "from toolhaft.hooks import hookimpl\n@hookimpl\ndef zzz():\n    return {}",
        {},
        ["no hook zzz", "register_tool_sources, register_retrievers"],
    ),
    (
        "arguments",
        "from toolhaft.hooks import hookimpl\n@hookimpl\ndef register_planners(registry, *, k):\n    pass",
        {},
        ["register_planners wants the arguments registry, k", "called with none"],
    ),
    (
        "wrapper",
        "from toolhaft.hooks import hookimpl\n@hookimpl(wrapper=True)\ndef register_planners():\n"
        "    return (yield)",
        {},
        ["register_planners is a wrapper"],
    ),
    (
        "old-wrapper",
        "from toolhaft.hooks import hookimpl\n@hookimpl(hookwrapper=True)\ndef register_planners():\n"
        "    yield",
        {},
        ["register_planners is a wrapper"],
    ),
    ("hook-raises", HOOK + "raise LookupError('gone')", {}, ["register_planners raised LookupError: gone"]),
    ("hook-exits", HOOK + "raise SystemExit(4)", {}, ["register_planners called sys.exit(4)"]),
    ("hook-ctrl-c", HOOK + "raise KeyboardInterrupt", {}, ["register_planners raised KeyboardInterrupt"]),
    ("hook-none", HOOK + "pass", {}, ["returned None", "a mapping of names to factories is wanted"]),
    ("hook-list", HOOK + "return ['x']", {}, ["returned list"]),
    ("hook-async", HOOK.replace("def r", "async def r") + "return {}", {}, ["is async"]),
    ("hook-generator", HOOK + "yield {}", {}, ["returned generator"]),
    ("hook-flood", HOOK + "return {f'n{i}': 'a:b' for i in range(2000)}", {}, ["more than 1,000 names"]),
    ("name-upper", HOOK + "return {'MCTS': 'a:b'}", {}, ["the name 'MCTS' is not legal"]),
    ("name-short", HOOK + "return {'c': 'a:b'}", {}, ["the name 'c' is not legal"]),
    ("name-number", HOOK + "return {7: 'a:b'}", {}, ["the name 7 is not legal"]),
    ("name-long", HOOK + "return {'x' * 65: 'a:b'}", {}, ["is not legal"]),
    ("no-factory", HOOK + "return {'mcts': 7}", {}, ["'mcts' is int; a callable or 'module:name'"]),
    ("bad-target", HOOK + "return {'mcts': 'acme.mcts'}", {}, ["'mcts' is 'acme.mcts'; 'module:name'"]),
    ("taken", HOOK + "return {'react': 'a:b'}", {}, ["the planner 'react' is taken by the plugin 'builtin'"]),
    ("too-new", "raise 1/0", {"requires": ["toolhaft>=9"]}, ["requires toolhaft>=9; this is 0.1.0"]),
    ("too-old", "raise 1/0", {"requires": ["toolhaft (<0.1)"]}, ["requires toolhaft<0.1; this is"]),
    ("series", "raise 1/0", {"requires": ["Toolhaft[demo] ~=1.0"]}, ["requires toolhaft~=1.0"]),
    (
        "no-range",
        "raise 1/0",
        {"requires": ["toolhaft>=next"]},
        ["cannot be read", "'next' is not a version"],
    ),
    ("wrong-group", HOOK + "return {}", {"group": "toolhaft.plugins"}, ["group 'toolhaft.plugins'"]),
    ("bad-entry", "x = 1", {"entry_points": {"bad-entry": "not a module!"}}, ["names no module"]),
]


@pytest.mark.parametrize(("name", "code", "options", "reasons"), BROKEN, ids=[row[0] for row in BROKEN])
def test_a_broken_plugin_is_named_and_the_rest_works(plugins, name, code, options, reasons):
    plugins.good("aaa")
    module = plugins.write(name, code, **options)
    plugins.good("zzz")
    registry = plugins.load()
    records = {record.name: record for record in registry.plugins}
    entry = f"acme-{name}" if options.get("group") else name
    assert records[entry].status == "FAILED"
    for reason in reasons:
        assert reason in records[entry].reason
    assert records[entry].distribution == f"acme-{name}"
    assert not records[entry].provides
    assert records["builtin"].status == records["aaa"].status == records["zzz"].status == "ok"
    assert registry.planner("aaa").depth == registry.planner("zzz", depth=1).depth == 1
    if "1/0" in code:
        assert module not in sys.modules, "a plugin for another core must not be imported"


def test_strict_turns_the_first_failure_into_an_error(plugins):
    plugins.write("raises", "raise RuntimeError('no luck')")
    with pytest.raises(PluginError, match="'raises' failed: its import raised RuntimeError: no luck"):
        plugins.load(strict=True)


HANGS = {
    "sleeps": "import time\ntime.sleep(600)",
    "spins": "while True: pass",
    "waits": "import threading\nthreading.Event().wait()",
    "stubborn": "import time\nwhile True:\n    try: time.sleep(0.01)\n    except BaseException: pass",
    "hook-hangs": HOOK + "\n    import time; time.sleep(600)",
}


@pytest.mark.parametrize("name", HANGS)
def test_a_plugin_that_hangs_costs_its_time_limit_and_no_more(plugins, name):
    plugins.good("zzz")
    plugins.write(name, HANGS[name])
    started = time.perf_counter()
    registry = plugins.load(timeout=0.2)
    assert time.perf_counter() - started < 2
    record = next(each for each in registry.plugins if each.name == name)
    assert record.status == "FAILED"
    assert "hangs: it took longer than 0.2 s" in record.reason
    assert registry.planner("zzz").depth == 1


def test_a_loop_is_stopped_and_what_still_hangs_is_not_waited_for_again(plugins):
    loop = plugins.write("spins", HANGS["spins"])
    sleep = plugins.write("sleeps", HANGS["sleeps"])
    plugins.load(timeout=0.2)
    names = {thread.name for thread in threading.enumerate()}
    assert f"toolhaft plugin {loop}" not in names
    assert f"toolhaft plugin {sleep}" in names
    assert "it still hangs" in plugins.record("sleeps", timeout=30, disabled=["spins"]).reason


def test_one_bad_hook_or_name_costs_only_itself(plugins):
    code = PLANNER + (
        "from toolhaft.hooks import hookimpl\n"
        "@hookimpl\ndef register_planners():\n    return {'mcts': P, 'react': P, 'Bad': P}\n"
        "@hookimpl\ndef register_models():\n    raise OSError('offline')\n"
    )
    plugins.write("partly", code)
    registry = plugins.load()
    record = next(each for each in registry.plugins if each.name == "partly")
    assert record.status == "FAILED"
    assert record.provides == {"planner": ("mcts",)}
    for part in ("'react' is taken", "'Bad' is not legal", "register_models raised OSError: offline"):
        assert part in record.reason
    assert type(registry.planner("mcts")).__name__ == "P"
    assert type(registry.planner("mcts")).__module__ != "toolhaft.planners.react"


def test_the_first_claim_of_a_name_stands(plugins):
    for name in ("bbb", "aaa"):
        plugins.write(name, PLANNER + HOOK + f"return {{'mcts': P, 'of-{name}': P}}")
    registry = plugins.load()
    records = {record.name: record for record in registry.plugins}
    assert records["aaa"].provides == {"planner": ("mcts", "of-aaa")}
    assert records["bbb"].provides == {"planner": ("of-bbb",)}
    assert records["bbb"].reason == "the planner 'mcts' is taken by the plugin 'aaa'"


def test_two_plugins_of_one_name(plugins):
    plugins.good("same", distribution="acme-one", module="acme_one")
    plugins.good("same", distribution="acme-two", module="acme_two")
    plugins.good("builtin", distribution="acme-evil", module="acme_evil")
    records = {record.distribution: record for record in plugins.load().plugins}
    assert records["acme-one"].status == "ok"
    assert "acme-one has a plugin of this name already" in records["acme-two"].reason
    assert "toolhaft has a plugin of this name already" in records["acme-evil"].reason
    assert "acme_evil" not in sys.modules


def test_an_installation_that_is_not_complete(plugins):
    plugins.good("headless")
    plugins.good("garbled")
    plugins.good("fine")
    (plugins.root / "acme_headless-1.0.dist-info" / "METADATA").unlink()
    (plugins.root / "acme_garbled-1.0.dist-info" / "METADATA").write_bytes(b"Name: \xff\xfe\n")
    (plugins.root / "toolhaft_torn-1.0.dist-info").mkdir()
    (plugins.root / "toolhaft_torn-1.0.dist-info" / "entry_points.txt").write_bytes(b"[toolhaft]\n\xff")
    (plugins.root / "empty-1.0.dist-info").mkdir()
    records = {record.name: record for record in plugins.load().plugins}
    assert "metadata is missing" in records["headless"].reason
    assert "metadata is missing" in records["garbled"].reason
    assert "entry points cannot be read" in records["toolhaft-torn"].reason
    assert records["fine"].status == "ok"


def test_what_a_plugin_says_cannot_rewrite_the_terminal(plugins):
    plugins.write("painter", "raise ValueError('\\x1b[2J\\x1b]0;owned\\x07\\u202egpj\\n' + 'x' * 9999)")
    reason = plugins.record("painter").reason
    assert reason.isprintable()
    assert len(reason) <= 600
    assert "\\x1b[2J" in reason


def test_disabled_plugins_are_not_imported(plugins, monkeypatch):
    off = plugins.write("off", "raise RuntimeError")
    assert plugins.record("off", disabled=["Acme.Off"]).status == "disabled"
    monkeypatch.setenv("TOOLHAFT_DISABLE_PLUGINS", "off, builtin")
    registry = plugins.load(disabled=None)
    assert {record.name: record.status for record in registry.plugins}["off"] == "disabled"
    assert "react" in registry.names("planner"), "the core's own plugin cannot be disabled"
    assert off not in sys.modules


def test_twenty_broken_among_two_hundred(plugins):
    broken = [row for row in BROKEN if not row[2]]
    for number in range(200):
        if number % 10 == 3:
            plugins.write(f"p{number}", broken[number // 10][1])
        else:
            plugins.good(f"p{number}")
    registry = plugins.load()
    mine = [record for record in registry.plugins if record.distribution.startswith("acme-p")]
    assert [record.status for record in mine].count("ok") == 180
    assert [record.status for record in mine].count("FAILED") == 20
    assert all(record.reason for record in mine if record.status == "FAILED")
    for record in mine:
        if record.status == "ok":
            assert registry.planner(record.name).depth == 1

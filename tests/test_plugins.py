"""``toolhaft plugins``, run as a user runs it, with good, broken, hanging and crashing plugins installed."""

import json
import os
import subprocess
import sys

import pytest

from toolhaft.hooks.scaffold import SCAFFOLD_KINDS
from toolhaft.testing import write_distribution

pytestmark = pytest.mark.slow  # a process for each command

GOOD = (
    "from toolhaft.hooks import hookimpl\n"
    "@hookimpl\ndef register_executors():\n"
    "    return {'NAME': 'toolhaft.runs.executor:LocalExecutor'}\n"
)
FATAL = {
    "aborts": "import os\nos.abort()",
    "leaves": "import os\nos._exit(7)",
    "crashes": "import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)",
}


@pytest.fixture
def site(tmp_path):
    """Give a folder of plugins and a way to run the command with it on the path."""
    return Site(tmp_path)


class Site:
    def __init__(self, root):
        self.folder = root / "site"
        self.folder.mkdir()

    def add(self, name, code=GOOD, **fields):
        module = f"acme_{name.replace('-', '_')}"
        files = {f"{module}.py": code.replace("NAME", name)}
        write_distribution(self.folder, f"acme-{name}", files, entry_points={name: module}, **fields)

    def run(self, *arguments, code=None, **variables):
        command = [sys.executable, "-c", "from toolhaft.cli.main import main; main()", *arguments]
        environment = os.environ | {"PYTHONPATH": str(self.folder)} | variables
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, env=environment)
        assert "Traceback" not in done.stderr
        if code is not None:
            assert done.returncode == code, done.stdout + done.stderr
        return done

    def json(self, *arguments, code=0, **variables):
        return json.loads(self.run(*arguments, "--json", code=code, **variables).stdout)

    def statuses(self, **variables):
        return {each["name"]: each["status"] for each in self.json("plugins", "list", **variables)["plugins"]}


def test_list_shows_what_works_and_what_does_not(site):
    site.add("good")
    site.add("bad", "raise RuntimeError('no luck')")
    site.add("loud", "print('{not json')\n" + GOOD)
    statuses = site.statuses()
    assert {"builtin": "ok", "good": "ok", "loud": "ok", "bad": "FAILED"}.items() <= statuses.items()
    text = site.run("plugins", "list", code=0).stdout
    assert "acme-good 1.0" in text
    assert "executor good" in text
    assert "1 FAILED; everything else works" in text


def test_doctor_says_what_is_wrong_and_what_to_do(site):
    assert site.json("plugins", "doctor")["healthy"] is True
    site.add("bad", "import absent_lib", requires=["absent-lib"])
    site.add("worse", "raise ValueError('\\x1b]0;owned\\x07')")
    done = site.run("plugins", "doctor", code=1)
    assert "FAILED bad (acme-bad 1.0)" in done.stdout
    assert "pip install absent-lib" in done.stdout
    assert "toolhaft plugins disable bad" in done.stdout
    assert "\x1b" not in done.stdout
    report = site.json("plugins", "doctor", code=1)
    assert report["healthy"] is False
    assert (
        "needs the module 'absent_lib'" in next(p for p in report["plugins"] if p["name"] == "bad")["reason"]
    )


@pytest.mark.parametrize(
    "name", ["crashes", *(pytest.param(each, marks=pytest.mark.slow) for each in ("aborts", "leaves"))]
)
def test_a_plugin_that_takes_the_process_with_it_is_found_and_left_out(site, name):
    site.add("good")
    site.add(name, FATAL[name])
    statuses = site.statuses()
    assert (statuses["good"], statuses[name], statuses["builtin"]) == ("ok", "FAILED", "ok")
    reason = next(p for p in site.json("plugins", "doctor", code=1)["plugins"] if p["name"] == name)["reason"]
    assert "found earlier" in reason
    done = site.run("no-such-command", code=2)  # loads every plugin, for one of them may bring it
    assert "unknown command 'no-such-command'" in done.stderr
    site.add(name)
    assert site.statuses()[name] == "ok", "a verdict is forgotten when the plugin's files change"


def test_check_tries_one_plugin_in_a_process_of_its_own(site):
    site.add("good")
    site.add("hangs", "import time\ntime.sleep(600)")
    site.add("heavy", "import numpy, json\njson.loads = print\nprint('hi')\n" + GOOD)
    assert site.json("plugins", "check", "good") == {"healthy": True, "findings": {"good": []}}
    assert "good: nothing to complain of" in site.run("plugins", "check", "acme-good", code=0).stdout.replace(
        "acme-good", "good"
    )
    found = site.json("plugins", "check", "hangs", "--timeout", "2", code=1)["findings"]["hangs"]
    assert [each["what"] for each in found] == ["the process that imported it hung: it was ended after 2 s"]
    found = site.json("plugins", "check", "heavy", "good", code=1)["findings"]
    assert found["good"] == []
    text = " ".join(each["what"] for each in found["heavy"])
    for part in ("imports numpy", "prints 'hi", "changes json.loads"):
        assert part in text
    assert "found earlier" in next(
        p["reason"] for p in site.json("plugins", "list")["plugins"] if p["name"] == "hangs"
    ), "nobody waits for it again"
    site.run("plugins", "check", "nothing", code=2)


RUDE = {
    "a thread": "import threading, time\nthreading.Thread(target=time.sleep, args=[9], daemon=1).start()\n",
    "os.environ": "import os\nos.environ['ACME'] = '1'\n",
    "sys.path": "import sys\nsys.path.insert(0, '/acme')\n",
    "the state of random": "import random\nrandom.seed(0)\n",
    "the root logger": "import logging\nlogging.basicConfig()\n",
    "the warning filters": "import warnings\nwarnings.simplefilter('ignore')\n",
    "the socket timeout": "import socket\nsocket.setdefaulttimeout(3)\n",
    "the working folder": "import os\nos.chdir('/')\n",
    "builtins.print": "import builtins\nbuiltins.print = repr\n",
}


def test_check_lists_what_an_import_does_to_the_process(site):
    site.add("rude", "".join(RUDE.values()) + GOOD)
    findings = site.json("plugins", "check", "rude", code=1)["findings"]["rude"]
    assert len(findings) == len(RUDE)
    for part in RUDE:
        assert any(part in each["what"] for each in findings), part


FACTORIES = {
    "gone": ("'acme_nowhere:X'", "acme_nowhere"),
    "other-kind": ("'toolhaft.planners.base:Planner'", "is not derived from toolhaft.runs.executor.Executor"),
    "makes-text": ("lambda: 'text'", "made str, not a Executor"),
    "raises": ("lambda: 1 / 0", "ZeroDivisionError"),
    "wants": ("lambda *, hosts: 1 / 0", ""),
}


def test_check_makes_what_can_be_made_without_settings(site):
    entries = ", ".join(f"{name!r}: {factory}" for name, (factory, _) in FACTORIES.items())
    code = GOOD.replace("{'NAME': 'toolhaft.runs.executor:LocalExecutor'}", f"{{{entries}}}")
    site.add("mixed", code, requires=["toolhaft>=0.1"])
    findings = site.json("plugins", "check", "mixed", code=1)["findings"]["mixed"]
    assert (findings[0]["check"], findings[0]["severity"]) == ("requirement", "warning")
    by_name = {name: [each["what"] for each in findings if repr(name) in each["what"]] for name in FACTORIES}
    for name, (_, part) in FACTORIES.items():
        assert len(by_name[name]) == bool(part)
        assert all(part in what for what in by_name[name])


def test_disable_and_enable_without_importing_anything(site):
    site.add("bad", "import os\nos.abort()")
    site.add("good")
    assert site.json("plugins", "disable", "bad", "acme-good") == {"disabled": ["bad", "good"]}
    assert site.statuses()["bad"] == site.statuses()["good"] == "disabled"
    assert site.json("plugins", "enable", "good") == {"disabled": ["bad"]}
    assert site.json("plugins", "enable", "good") == {"disabled": ["bad"]}
    assert site.statuses()["good"] == "ok"
    assert "'good'" in site.run("plugins", "disable", "godo", code=2).stderr
    assert site.json("plugins", "disable", "builtin", code=2)["error"]["code"] == "E-USAGE"
    site.run("plugins", "enable", "nothing", code=2)
    assert site.statuses(TOOLHAFT_DISABLE_PLUGINS="good")["good"] == "disabled"
    done = site.run("plugins", "enable", "good", code=2, TOOLHAFT_DISABLE_PLUGINS="good")
    assert "TOOLHAFT_DISABLE_PLUGINS" in done.stderr


@pytest.mark.parametrize(
    "kind",
    [pytest.param(kind, marks=() if kind == "retriever" else pytest.mark.slow) for kind in SCAFFOLD_KINDS],
)
def test_a_new_plugin_works_before_a_line_is_changed(site, tmp_path, kind):
    written = site.json("plugins", "new", "my-idea", "--kind", kind, "--into", str(tmp_path))["files"]
    root = tmp_path / "toolhaft-my-idea"
    assert sorted(path.replace(f"{root}{os.sep}", "") for path in written) == [
        "pyproject.toml",
        "tests/test_toolhaft_my_idea.py",
        "toolhaft_my_idea.py",
    ]
    site.run("plugins", "new", "my-idea", "--into", str(tmp_path), code=2)
    module = (root / "toolhaft_my_idea.py").read_text(encoding="utf-8")
    write_distribution(
        site.folder,
        "toolhaft-my-idea",
        {"toolhaft_my_idea.py": module},
        entry_points={"my-idea": "toolhaft_my_idea"},
    )
    assert site.json("plugins", "check", "my-idea") == {"healthy": True, "findings": {"my-idea": []}}
    environment = os.environ | {"PYTHONPATH": str(site.folder)}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(root)]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=60, env=environment, cwd=root, check=False
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("name", ["My", "x", "../up", "a b", "a_b", "-x", "", "x" * 41])
def test_a_new_plugin_needs_a_legal_name(site, tmp_path, name):
    done = site.run("plugins", "new", "--into", str(tmp_path / "new"), "--", name, code=2)
    assert "no name for a plugin" in done.stderr
    assert not (tmp_path / "new").exists()
    site.run("plugins", "new", "idea", "--kind", "wish", "--into", str(tmp_path / "new"), code=2)

"""The command line: import, call, serve, and Ctrl-C."""

import json
import os
import signal
import subprocess
import sys

import httpx
import pytest

from .tool_files import a_parameter, a_tool, an_api

pytestmark = pytest.mark.slow  # a test starts a process

TOOLHAFT = [sys.executable, "-m", "toolhaft"]


@pytest.fixture
def run(toolhaft):
    def run(*words, expected=0):
        code, out, err = toolhaft(*words)
        assert code == expected, err
        return out

    return run


@pytest.fixture
def path(tool_file):
    return tool_file(a_tool(an_api(required=[a_parameter("city")]), an_api("Odd", "/odd", method="FETCH")))


def test_import_list_show_search_and_call(path, tmp_path, run):
    file = tmp_path / "sky.catalog"
    said = run("tools", "import", f"rapidapi:{path}", "-o", file, expected=3)
    assert "1 imported, 0 degraded, 1 skipped" in said
    assert "no HTTP method" in said
    assert "sky_watch_forecast" in run("tools", "list", file)
    assert "city" in run("tools", "show", file, "sky_watch_forecast")
    assert "sky_watch_forecast" in run("tools", "search", file, "forecast")
    curl = run("call", file, "sky_watch_forecast", "city=a/b c", "--curl")
    assert "https://sky.p.rapidapi.com/forecast/a%2Fb%20c" in curl
    assert "-H 'X-RapidAPI-Key: '\"$RAPIDAPI_KEY\"" in curl
    simulated = json.loads(
        run("call", f"rapidapi:{path}?virtual", "sky_watch_forecast", "city=Riga", "--json")
    )
    assert simulated["request"] == {"city": "Riga"}


def test_the_server_says_where_it_is_answers_and_ends_with_ctrl_c(path, tmp_path):
    words = ["rapidapi", "serve", path, "--port", "0", "--cache", tmp_path / "c.sqlite", "--json"]
    process = subprocess.Popen(
        [*TOOLHAFT, *map(str, words)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    try:
        lines = []
        while not lines or lines[-1].rstrip() != "}":
            lines.append(process.stdout.readline())
            assert lines[-1], process.stderr.read()
        facts = json.loads("".join(lines))
        payload = {
            "category": "Weather",
            "tool_name": "sky_watch",
            "api_name": "forecast",
            "tool_input": '{"city":"x"}',
        }
        reply = httpx.post(facts["routes"][0], json=payload, trust_env=False).json()
        assert reply["provenance"] == "simulated"
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=20)
    finally:
        process.kill()
        process.wait(10)
    assert process.returncode in (0, 130)
    assert "Traceback" not in stderr
    assert not list(tmp_path.glob("c.sqlite-*")), "the cache was not closed"


def test_a_cache_is_imported(path, tmp_path, run):
    folder = tmp_path / "cache" / "Weather" / "sky_watch_for_Weather"
    folder.mkdir(parents=True)
    entries = {"{'city': 'Riga'}": {"error": "", "response": "dry"}, "x": {"error": "", "response": ""}}
    (folder / "forecast.json").write_text(json.dumps(entries))
    file = tmp_path / "c.sqlite"
    said = run("rapidapi", "import-cache", folder.parents[1], "-o", file, expected=3)
    assert "1 answers from 1 files, 1 left out" in said
    called = run("call", f"rapidapi:{path}?virtual&cache={file}", "sky_watch_forecast", "city=Riga")
    assert called.strip() == "dry"

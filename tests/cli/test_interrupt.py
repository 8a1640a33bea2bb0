"""Ctrl-C in the middle ends in exit code 130, one line, and the work done so far on disk."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

pytestmark = pytest.mark.slow  # a process for each case

TOOLS = '''
import time
from toolhaft import tool

@tool(effect="read")
def slow(seconds: float) -> str:
    """Wait for some seconds."""
    time.sleep(seconds)
    return "done"

@tool(effect="read")
def quick(word: str) -> str:
    """Say a word."""
    return word
'''


def completion(calls=(), text=None):
    message = {"role": "assistant", "content": text}
    if calls:
        message["tool_calls"] = [
            {"id": f"c{i}", "type": "function", "function": {"name": name, "arguments": arguments}}
            for i, (name, arguments) in enumerate(calls)
        ]
    finish = "tool_calls" if calls else "stop"
    return {"model": "m", "choices": [{"index": 0, "message": message, "finish_reason": finish}]}


@pytest.fixture
def model_server():
    """Serve completions from a function of the number of requests so far."""
    servers = []

    def start(reply):
        count = iter(range(1_000))

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                self.rfile.read(int(self.headers["content-length"]))
                body = json.dumps(reply(next(count))).encode()
                self.send_response(200)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}/v1#m"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def command(tmp_path, *words):
    (tmp_path / "mytools.py").write_text(TOOLS)
    return subprocess.Popen(
        [sys.executable, "-c", "from toolhaft.cli.main import main; main()", *words],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def kept(tmp_path):
    lines = (tmp_path / "kept" / "trajectories.jsonl").read_text().splitlines()
    assert len(lines) == 1
    return json.loads(lines[0])


def test_an_interrupted_run_keeps_what_was_done(tmp_path, model_server):
    replies = [completion([("quick", '{"word": "first"}')]), completion([("slow", '{"seconds": 20}')])]
    url = model_server(lambda n: replies[min(n, 1)])
    process = command(tmp_path, "run", "Go", "--tools", "python:mytools", "--model", url, "-o", "kept")
    deadline = time.monotonic() + 20
    seen = ""
    while "quick" not in seen and time.monotonic() < deadline:
        seen += process.stderr.readline()
    time.sleep(0.7)
    process.send_signal(signal.SIGINT)
    started = time.monotonic()
    out, err = process.communicate(timeout=15)
    assert process.returncode == 130, err
    assert time.monotonic() - started < 5
    assert "Traceback" not in out + err
    record = kept(tmp_path)
    assert record["status"] == "cancelled"
    assert record["steps"][0]["observations"][0]["parts"][0]["text"] == "first"


def test_an_interrupted_demo_ends_cleanly(tmp_path):
    process = command(tmp_path, "demo", "-o", "kept")
    time.sleep(2)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=15)
    assert process.returncode in (0, 130), err
    assert "Traceback" not in out + err
    if process.returncode == 130:
        assert re.search(r"^Interrupted: \d+ of \d+ tasks passed", out, re.MULTILINE), out
        assert "cancelled" not in out


@pytest.mark.parametrize(
    ("calls", "said"),
    [
        ([("quikc", '{"word": "x"}')], "quick"),
        ([("quick", '{"word": ')], "could not be read"),
        ([("quick", '{"wrod": "x"}')], "word"),
        ([("quick", '"just text"')], "object"),
    ],
    ids=["unknown tool", "cut JSON", "misspelt argument", "no object"],
)
def test_a_model_that_calls_badly_and_never_learns_ends_as_a_loop(tmp_path, model_server, calls, said):
    url = model_server(lambda n: completion(calls))
    process = command(tmp_path, "run", "Go", "--tools", "python:mytools", "--model", url, "-o", "kept")
    out, err = process.communicate(timeout=30)
    assert process.returncode == 3, err
    assert "Traceback" not in out + err
    record = kept(tmp_path)
    assert record["status"] == "loop"
    assert said in json.dumps(record["steps"][0]["observations"][0]["error"])


def test_a_model_that_repairs_its_call_goes_on(tmp_path, model_server):
    replies = [completion([("quick", '{"wrod": "x"}')]), completion([("quick", '{"word": "x"}')])]
    url = model_server(lambda n: replies[n] if n < 2 else completion(text="It said x."))
    process = command(tmp_path, "run", "Go", "--tools", "python:mytools", "--model", url, "-o", "kept")
    _, err = process.communicate(timeout=30)
    assert process.returncode == 0, err
    assert kept(tmp_path)["answer"] == "It said x."


def test_an_endless_model_ends_with_its_budget(tmp_path, model_server):
    url = model_server(lambda n: completion([("quick", json.dumps({"word": f"w{n}"}))]))
    process = command(
        tmp_path,
        "run",
        "Go",
        "--tools",
        "python:mytools",
        "--model",
        url,
        "-o",
        "kept",
        "--budget",
        "steps=4",
    )
    _, err = process.communicate(timeout=30)
    assert process.returncode == 3, err
    record = kept(tmp_path)
    assert record["status"] == "budget"
    assert len(record["steps"]) == 4

"""A process that is killed in the middle leaves no key behind: not in a file, not in what it printed."""

import base64
import contextlib
import html
import json
import os
import signal
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import quote, quote_plus, unquote

import pytest

pytestmark = pytest.mark.slow  # a process for each case

KEYS = {
    "HEADER_KEY": 'canary"header\\key/with+signs=5f3b71',
    "QUERY_KEY": "canary query&key?<of>%20ü/密-8c1d",
    "MODEL_KEY": "sk-canary-model/key+of=tests-27aa90",
}


def plain_spellings(value):
    """Return how a value may be written as text, worked out apart from the filter under test."""
    escaped = json.dumps(value)[1:-1]
    found = {value, quote(value, safe=""), quote(value), quote_plus(value), html.escape(value), escaped}
    return found | {json.dumps(value, ensure_ascii=False)[1:-1], json.dumps(escaped)[1:-1], repr(value)[1:-1]}


def encoded_spellings(value):
    """Return how a value may be written in base64, with something before it and after it."""
    for before in (b"", b"Bearer ", b"x", b"xy"):
        for after in (b"", b"!", b"!!"):
            text = before + value.encode() + after
            yield base64.b64encode(text).decode()
            yield base64.urlsafe_b64encode(text).decode().rstrip("=")


def traces(value):
    """Return the bytes that tell that a value was written; the ends of base64 depend on the neighbours."""
    found = plain_spellings(value) | {text[12:-8] for text in encoded_spellings(value)}
    return {form.encode() for form in found}


def document(base):
    security = {
        "header": {"type": "apiKey", "in": "header", "name": "X-Key"},
        "query": {"type": "apiKey", "in": "query", "name": "key"},
    }
    operation = {
        "operationId": "getReport",
        "summary": "Get the report of a year",
        "parameters": [{"name": "year", "in": "query", "schema": {"type": "integer"}}],
        "responses": {"200": {"description": "The report"}},
        "security": [{"header": [], "query": []}],
    }
    return {
        "openapi": "3.0.3",
        "info": {"title": "Reports", "version": "1"},
        "servers": [{"url": base}],
        "paths": {"/report": {"get": operation}},
        "components": {"securitySchemes": security},
    }


def completion(number, said):
    """Two calls in a row, then an answer; each repeats what the model was told, its key included."""
    message = {"role": "assistant", "content": f"I was told {said}"}
    if number < 2:
        function = {"name": "getReport", "arguments": json.dumps({"year": 2020 + number})}
        message["tool_calls"] = [{"id": f"c{number}", "type": "function", "function": function}]
    finish = "tool_calls" if number < 2 else "stop"
    return json.dumps({"model": "m", "choices": [{"index": 0, "message": message, "finish_reason": finish}]})


class Stage:
    """An API and a model that repeat every key they are given, and stop the show at one moment.

    Attributes:
        moment: ``asked NAME n``: the n-th request to NAME has come; ``answering NAME n``: half of its
            answer is out; ``failing model``: half of its error is out.
        reached: Set when it is there; the request is then held until the test is over.
        arrived: The keys that did arrive.
    """

    def __init__(self, moment):
        self.moment = moment
        self.reached = threading.Event()
        self.over = threading.Event()
        self.arrived = set()
        self.counts = {"api": 0, "model": 0}
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.server.daemon_threads = True
        self.base = f"http://127.0.0.1:{self.server.server_port}"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.server.shutdown()
        self.server.server_close()

    def hold_at(self, moment):
        if moment == self.moment:
            self.reached.set()
            self.over.wait(30)

    def answer(self, request, name):
        number = self.counts[name]
        self.counts[name] += 1
        told = f"{request.path} {unquote(request.path)} {dict(request.headers)}"
        self.arrived |= {
            key for key, value in KEYS.items() if value in f"{told} {request.headers.get('X-Key')}"
        }
        self.hold_at(f"asked {name} {number}")
        everything = [told]
        for value in [KEYS[key] for key in sorted(self.arrived)]:
            everything += [*plain_spellings(value), *encoded_spellings(value)]
        status, said = 200, json.dumps(everything)
        if name == "model":
            said = completion(number, said)
            if self.moment == "failing model":
                status, said = 503, json.dumps({"error": {"message": everything}})
        body = said.encode()
        request.send_response(status)
        request.send_header("content-type", "application/json")
        request.send_header("content-length", str(len(body)))
        request.send_header("set-cookie", f"session={quote(KEYS['HEADER_KEY'])}")
        request.end_headers()
        request.wfile.write(body[:-9])
        request.wfile.flush()
        self.hold_at("failing model" if status == 503 else f"answering {name} {number}")
        request.wfile.write(body[-9:])

    def _handler(self):
        stage = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                stage.answer(self, "api")

            def do_POST(self):
                self.rfile.read(int(self.headers["content-length"]))
                stage.answer(self, "model")

            def handle(self):
                with contextlib.suppress(ConnectionError):  # it was killed
                    super().handle()

            def log_message(self, *_):
                pass

        return Handler


def start(folder, stage):
    """Start a run whose every folder is below ``folder``, what it prints included."""
    for name in ("work", "home", "tmp"):
        (folder / name).mkdir()
    (folder / "work" / "api.json").write_text(json.dumps(document(stage.base)))
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONFAULTHANDLER": "1",
        "HOME": str(folder / "home"),
        "TOOLHAFT_HOME": str(folder / "home"),
        "TMPDIR": str(folder / "tmp"),
        **KEYS,
    }
    words = ["run", "Get the report of 2020 and of 2021", "--tools", "openapi:api.json", "-o", "kept"]
    words += ["--auth", "header=env:HEADER_KEY", "--auth", "query=env:QUERY_KEY", "--allow-host", "127.0.0.1"]
    words += ["--model", f"{stage.base}/v1#m", "--api-key", "env:MODEL_KEY"]
    with (folder / "stdout").open("wb") as out, (folder / "stderr").open("wb") as err:
        return subprocess.Popen(
            [sys.executable, "-m", "toolhaft", *words],
            cwd=folder / "work",
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
        )


def leaks(folder):
    """Return every file and key of which a spelling is in the file or its name."""
    found = []
    for path in folder.rglob("*"):
        held = os.fsencode(path.relative_to(folder)) + (path.read_bytes() if path.is_file() else b"")
        found += [
            (str(path.relative_to(folder)), key, form)
            for key, value in KEYS.items()
            for form in traces(value)
            if form in held
        ]
    return found


def wait_until(holds, process, seconds=30):
    """Wait for a condition while a process runs; return whether it came true."""
    deadline = time.monotonic() + seconds
    while not holds():
        if process.poll() is not None or time.monotonic() > deadline:
            return holds()
        time.sleep(0.0005)
    return True


MOMENTS = [
    "asked model 0",
    "answering model 0",
    "asked api 0",
    "answering api 0",
    "asked model 1",
    "asked api 1",
    "answering model 2",
    "failing model",
]


@pytest.mark.parametrize("moment", MOMENTS)
def test_killed_run_leaves_no_key(tmp_path, moment):
    with Stage(moment) as stage:
        process = start(tmp_path, stage)
        try:
            assert wait_until(stage.reached.is_set, process), (tmp_path / "stderr").read_text()
            time.sleep(0.05)  # for what it does with the half that it has
            assert process.poll() is None
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait(10)
        assert process.returncode == -signal.SIGKILL
        assert "MODEL_KEY" in stage.arrived
        if "api" in moment or moment[-1] in "12":
            assert stage.arrived == set(KEYS)
    assert leaks(tmp_path) == []


@pytest.mark.parametrize("pattern", ["kept/*", "kept/trajectories.jsonl", "kept/report.html"])
def test_run_killed_while_it_writes_leaves_no_key(tmp_path, pattern):
    with Stage("never") as stage:
        process = start(tmp_path, stage)
        try:
            came = wait_until(lambda: any((tmp_path / "work").glob(pattern)), process)
            assert came, (tmp_path / "stderr").read_text()
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait(10)
        assert stage.arrived == set(KEYS)
    assert leaks(tmp_path) == []


def test_run_that_ends_leaves_no_key_but_its_name(tmp_path):
    """The same without a kill: the files are there, and the scan can find what is in them."""
    with Stage("never") as stage:
        process = start(tmp_path, stage)
        assert process.wait(60) == 0, (tmp_path / "stderr").read_text()
        assert stage.arrived == set(KEYS)
    assert leaks(tmp_path) == []
    record = (tmp_path / "work" / "kept" / "trajectories.jsonl").read_text()
    assert all(f"[secret env:{key}]" in record for key in KEYS)
    assert "[secret env:MODEL_KEY]" in (tmp_path / "stdout").read_text()
    (tmp_path / "home" / "planted").write_text(quote(KEYS["QUERY_KEY"]))
    assert {key for _, key, _ in leaks(tmp_path)} == {"QUERY_KEY"}

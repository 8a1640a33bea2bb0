"""What the tests of this plugin share; they also run alone, away from the repository."""

import json
import os
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def anyio_backend():
    """Run async tests on asyncio."""
    return "asyncio"


@pytest.fixture(scope="session")
def shared():
    """The folder of real data, where there is one."""
    root = Path(__file__).resolve().parents[3]
    folder = Path(os.environ.get("TOOLHAFT_SHARED", root / "../shared")).resolve() / "data"
    if not folder.is_dir():
        pytest.skip(f"no real data at {folder}: set TOOLHAFT_SHARED")
    return folder


@pytest.fixture
def toolhaft(monkeypatch, capsys, tmp_path):
    """Run a command in this process, in a folder of its own: ``code, out, err = toolhaft("call", ...)``."""

    def command(*words):
        from toolhaft.cli.main import main

        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "argv", ["toolhaft", *map(str, words)])
        code = 0
        try:
            main()
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 0 if end.code is None else 1
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return command


@pytest.fixture
def tool_file(tmp_path):
    """Write a tool file in a category's folder and return its path."""

    def write(document, name="sky_watch.json", category="Weather"):
        folder = tmp_path / "tools" / category
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / name
        path.write_text(document if isinstance(document, str) else json.dumps(document), encoding="utf-8")
        return path

    return write


class Upstream(ThreadingHTTPServer):
    """An API on loopback that answers what it is told to.

    Attributes:
        answers: Path without query -> (status, headers, body).
        seen: ``(method, path, headers, body)`` of every request.
    """

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Answering)
        self.answers = {}
        self.seen = []
        self.url = f"http://127.0.0.1:{self.server_address[1]}"


class _Answering(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        length = int(self.headers.get("content-length") or 0)
        body = self.rfile.read(length)
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.seen.append((self.command, self.path, headers, body))
        answer = self.server.answers.get(self.path.partition("?")[0], (404, {}, b""))
        status, added, payload = answer
        self.send_response(status)
        for name, value in added.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)

    do_POST = do_PUT = do_DELETE = do_GET

    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture
def upstream():
    """Serve an API on loopback."""
    server = Upstream()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join(5)

"""A person at a terminal is asked before a call that needs leave, and may say no, or leave."""

import json
import os
import pty
import select
import signal
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow  # a process and a terminal for each case

TOOLS = """
from toolhaft import tool

@tool(effect="write")
def add_note(text: str) -> str:
    '''Add a note.'''
    open("notes.txt", "a").write(text)
    return "noted"
"""


@pytest.fixture
def model():
    """Call ``add_note`` once, then answer."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
            message = {"role": "assistant", "content": "All done."}
            if asked["messages"][-1]["role"] == "user":
                function = {"name": "add_note", "arguments": '{"text": "milk"}'}
                message = {"role": "assistant", "content": None}
                message["tool_calls"] = [{"id": "c1", "type": "function", "function": function}]
            body = json.dumps({"model": "m", "choices": [{"index": 0, "message": message}]}).encode()
            if asked.get("stream"):
                delta = dict(message)
                if "tool_calls" in delta:
                    delta["tool_calls"] = [{**delta["tool_calls"][0], "index": 0}]
                chunk = {"model": "m", "choices": [{"index": 0, "delta": delta, "finish_reason": "stop"}]}
                body = f"data: {json.dumps(chunk)}\n\ndata: [DONE]\n\n".encode()
            self.send_response(200)
            kind = "text/event-stream" if asked.get("stream") else "application/json"
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/v1#m"
    server.shutdown()
    server.server_close()


def sit_down(tmp_path, model, answer):
    """Run at a terminal; when asked, do what ``answer`` does with the process and the terminal."""
    (tmp_path / "mytools.py").write_text(TOOLS)
    own, theirs = pty.openpty()
    process = subprocess.Popen(
        ["toolhaft", "run", "Note milk", "--tools", "mytools.py", "--model", model, "-o", "kept"],
        executable=Path(sys.executable).with_name("toolhaft"),
        cwd=tmp_path,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        env=os.environ | {"TERM": "xterm", "COLUMNS": "100", "LINES": "40"},
    )
    os.close(theirs)
    shown, answered, deadline = "", False, time.monotonic() + 30
    while time.monotonic() < deadline:
        if select.select([own], [], [], 0.1)[0]:
            try:
                piece = os.read(own, 4096)
            except OSError:  # the other side is closed
                break
            if not piece:
                break
            shown += piece.decode(errors="replace")
        if not answered and "[y/N]" in shown:
            answered = True
            time.sleep(0.2)
            answer(process, own)
        if process.poll() is not None and not select.select([own], [], [], 0)[0]:
            break
    code = process.wait(10)
    os.close(own)
    assert answered, shown
    return code, shown


def test_yes_makes_the_call(tmp_path, model):
    code, shown = sit_down(tmp_path, model, lambda process, terminal: os.write(terminal, b"y\n"))
    assert code == 0, shown
    assert (tmp_path / "notes.txt").read_text() == "milk"
    assert "add_note (write)" in shown
    assert "[from user]" in shown
    assert "All done." in shown


@pytest.mark.parametrize("typed", [b"\n", b"n\n", b"what?\n", b"\x04"], ids=["enter", "n", "what", "ctrl-d"])
def test_anything_else_is_no(tmp_path, model, typed):
    code, shown = sit_down(tmp_path, model, lambda process, terminal: os.write(terminal, typed))
    assert code == 4, shown
    assert not (tmp_path / "notes.txt").exists()
    assert "Traceback" not in shown
    assert "--allow add_note" in shown


def test_an_interrupt_at_the_question_ends_the_run(tmp_path, model):
    started = time.monotonic()
    code, shown = sit_down(tmp_path, model, lambda process, terminal: process.send_signal(signal.SIGINT))
    assert code == 130, shown
    assert time.monotonic() - started < 15
    assert "Traceback" not in shown
    assert not (tmp_path / "notes.txt").exists()
    assert json.loads((tmp_path / "kept" / "trajectories.jsonl").read_text())["status"] == "cancelled"

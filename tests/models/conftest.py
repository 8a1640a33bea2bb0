"""The scripted chat endpoint, as a process of its own."""

import base64
import json
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def endpoint():
    """Return a function from a script (see chat_server.py) to the address that is answered by it."""
    process = subprocess.Popen(
        [sys.executable, str(Path(__file__).parent / "chat_server.py")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    port = int(process.stdout.readline())

    def address(**script):
        path = base64.urlsafe_b64encode(json.dumps(script).encode()).decode().rstrip("=")
        return f"http://127.0.0.1:{port}/{path + '=' * (-len(path) % 4)}/v1"

    yield address
    process.stdin.close()
    process.stdout.close()
    process.wait(10)

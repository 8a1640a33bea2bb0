"""``toolhaft call --curl`` prints a command for real curl that sends the bytes of the call itself."""

import json
import shutil
import subprocess
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from toolhaft.cli.call_request import curl_command, plain_text
from toolhaft.http.message import Credential, Request
from toolhaft.types import SecretRef

pytestmark = pytest.mark.skipif(
    shutil.which("curl") is None or shutil.which("bash") is None, reason="needs curl and bash"
)

SPEC = {
    "openapi": "3.1.0",
    "info": {"title": "Echo", "version": "1"},
    "components": {
        "securitySchemes": {
            "header": {"type": "apiKey", "in": "header", "name": "X-Key"},
            "query": {"type": "apiKey", "in": "query", "name": "key"},
            "cookie": {"type": "apiKey", "in": "cookie", "name": "sid"},
            "login": {"type": "http", "scheme": "basic"},
        }
    },
    "paths": {
        "/things/{id}": {
            "get": {
                "operationId": "getThing",
                "parameters": [
                    {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}},
                    {"name": "q", "in": "query", "schema": {"type": "string"}},
                    {
                        "name": "r",
                        "in": "query",
                        "allowReserved": True,
                        "schema": {"type": "string"},
                    },
                    {"name": "X-Note", "in": "header", "schema": {"type": "string"}},
                    {"name": "theme", "in": "cookie", "schema": {"type": "string"}},
                ],
                "security": [{"header": []}, {"query": []}, {"cookie": []}, {"login": []}, {}],
            },
            "head": {
                "operationId": "headThing",
                "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}],
            },
        },
        "/json": {
            "post": {
                "operationId": "postJson",
                "requestBody": {"required": True, "content": {"application/json": {"schema": {
                    "type": "object", "properties": {"text": {"type": "string"}, "n": {"type": "integer"}}
                }}}},
            }
        },
        "/form": {
            "post": {
                "operationId": "postForm",
                "requestBody": {"required": True, "content": {"application/x-www-form-urlencoded": {
                    "schema": {
                        "type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "string"}}
                    }
                }}},
            }
        },
        "/parts": {
            "post": {
                "operationId": "postParts",
                "requestBody": {"required": True, "content": {"multipart/form-data": {"schema": {
                    "type": "object",
                    "properties": {
                        "title": {"type": "string"}, "file": {"type": "string", "format": "binary"}
                    },
                }}}},
            }
        },
        "/raw": {
            "put": {
                "operationId": "putRaw",
                "requestBody": {"required": True, "content": {"application/octet-stream": {}}},
            }
        },
    },
}  # fmt: skip
BINARY = bytes(range(256)) * 3
CASES = {
    "get": ["getThing", "id=a b/c", "q=O'Brien \"x\" $HOME `id` \\", "r=a/b?c:d@e"],
    "get with brackets": ["getThing", "id=[1-3]{a,b}", "r=[1-9]"],
    "header with quotes": ["getThing", "id=1", "X-Note=it's \"quoted\" $PATH `x` \\n"],
    "cookie": ["getThing", "id=1", "theme=dark & \"blue\""],
    "cookie and its secret": ["getThing", "id=1", "--auth", "cookie=env:ECHO_KEY"],
    "cookie beside its secret": ["getThing", "id=1", "theme=dark", "--auth", "cookie=env:ECHO_KEY"],
    "secret in a header": ["getThing", "id=1", "--auth", "header=env:ECHO_KEY"],
    "secret in the query": ["getThing", "id=1", "--auth", "query=env:ECHO_KEY"],
    "secret in a query that is there": ["getThing", "id=1", "q=x", "--auth", "query=env:ECHO_KEY"],
    "basic": ["getThing", "id=1", "--auth", "login.username=me", "--auth", "login.password=env:ECHO_KEY"],
    "head": ["headThing", "id=7"],
    "json": ["postJson", "text=O'Brien said \"hi\"\n\t$HOME `id` \\ ü 💡", "n=3"],
    "json that begins with an at sign": ["postJson", "text=@/etc/passwd"],
    "json of 200 kB": ["postJson", f"text={'x' * 200_000}"],
    "json with an escape": ["postJson", "text=\x1b[31mred\u202e"],
    "form": ["postForm", "a=x y&z=1", "b=ü+%'\""],
    "multipart with a file": ["postParts", "title=it's a cat", "file=@cat.bin"],
    "binary": ["putRaw", "body=@cat.bin"],
}  # fmt: skip


@contextmanager
def echo_server():
    """Run a server on loopback that keeps every request as it came."""
    seen = []

    class Echo(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self):
            length = int(self.headers.get("content-length") or 0)
            headers = sorted((name.lower(), value) for name, value in self.headers.items())
            seen.append((self.command, self.path, headers, self.rfile.read(length)))
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", "2")
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(b"{}")

        do_GET = do_POST = do_PUT = do_HEAD = answer

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", seen
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


OWN = ("user-agent", "accept-encoding", "connection", "content-length", "host")
"""Headers that each client makes by itself."""


def told(request):
    method, target, headers, body = request
    cookies = sorted(cookie for name, value in headers if name == "cookie" for cookie in value.split("; "))
    return method, target, [pair for pair in headers if pair[0] not in (*OWN, "cookie")], cookies, body


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.replace(" ", "-"))
def test_curl_sends_what_the_call_sends(case, toolhaft, tmp_path, monkeypatch):
    monkeypatch.setenv("ECHO_KEY", "s3cr'et\"$value")
    (tmp_path / "cat.bin").write_bytes(BINARY)
    with echo_server() as (base, seen):
        (tmp_path / "echo.json").write_text(json.dumps({**SPEC, "servers": [{"url": base}]}))
        words = ["call", "echo.json", *CASES[case], "--allow-host", "127.0.0.1"]
        code, _, err = toolhaft(*words, "--json")
        assert code == 0, err
        code, command, err = toolhaft(*words, "--curl")
        assert code == 0, err
        assert "s3cr" not in command
        (tmp_path / "curl.sh").write_text(f"{command.rstrip()} --silent --show-error --max-time 10\n")
        done = subprocess.run(["bash", "curl.sh"], cwd=tmp_path, capture_output=True, timeout=30)
    assert done.returncode == 0, done.stderr.decode()
    assert len(seen) == 2
    mine, curls = map(told, seen)
    assert curls[0] == mine[0]
    assert curls[1] == mine[1]
    assert curls[2] == mine[2]
    assert curls[3] == mine[3]
    assert curls[4] == mine[4]
    if case in ("multipart with a file", "binary"):
        assert BINARY in curls[4]


def test_secrets_are_named_in_every_place_and_never_shown():
    made = [
        Credential(secret=SecretRef("env:KEY"), origins=(), place="query", name="key"),
        Credential(secret=SecretRef("memory:other"), origins=(), place="header", name="X-Other"),
        Credential(secret=SecretRef("env:SID"), origins=(), place="cookie", name="sid"),
        Credential(secret=SecretRef("env:PASS"), origins=(), basic_user=SecretRef("env:USER")),
    ]
    command = curl_command(Request(method="GET", url="https://a.example/x", credentials=tuple(made)))
    assert """https://a.example/x --url-query key="$KEY\"""" in command
    assert "-H 'X-Other: ''<memory:other>'" in command
    assert """-H 'cookie: 'sid="$SID\"""" in command
    assert """-u "$USER":"$PASS\"""" in command


@pytest.mark.parametrize(
    ("body", "text"), [(b"", ""), (b"a\nb", "a\nb"), (b"a\r\nb", None), (b"\xff", None), (b"\x1b[0m", None)]
)
def test_a_body_is_text_only_where_a_copy_of_it_is_the_same(body, text):
    assert plain_text(body) == text


def test_a_dry_run_shows_parts_and_bytes_sensibly(toolhaft, tmp_path):
    (tmp_path / "cat.bin").write_bytes(BINARY)
    (tmp_path / "echo.json").write_text(json.dumps({**SPEC, "servers": [{"url": "https://a.example"}]}))
    words = ("call", "echo.json", "postParts", "title=it's a cat", "file=@cat.bin", "--dry-run")
    code, out, err = toolhaft(*words)
    assert code == 0, err
    assert out.startswith("POST https://a.example/parts\n")
    assert "it's a cat" in out
    assert "<768 bytes, 00 01 02 03 04 05 06 07 ...>" in out
    assert 'filename="cat.bin"' in out
    code, out, _ = toolhaft("call", "echo.json", "putRaw", "body=@cat.bin", "--dry-run", "--json")
    assert "body_base64" in json.loads(out)

"""``toolhaft models``."""

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest


@pytest.fixture
def serve():
    """Answer GET with a body on a port of this machine."""
    servers = []

    def start(body, status=200):
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(status)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        server = HTTPServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        servers.append((server, thread))
        return server.server_port

    yield start
    for server, thread in servers:
        server.shutdown()
        server.server_close()
        thread.join(5)


def test_servers_are_found_with_their_models(toolhaft, serve):
    first = serve(json.dumps({"data": [{"id": "qwen3:8b"}, {"id": "llama\x1b[31m"}, {"no": 1}]}).encode())
    second = serve(b"<html>a web page</html>")
    third = serve(b"{}", status=404)
    words = [word for port in (first, second, third, 1) for word in ("--port", port)]
    code, out, err = toolhaft("models", "detect", "--json", *words)
    assert (code, err) == (0, "")
    servers = json.loads(out)["servers"]
    assert [each["base_url"] for each in servers] == [
        f"http://127.0.0.1:{port}/v1" for port in (first, second, third)
    ]
    assert servers[0]["models"] == ["qwen3:8b", "llama[31m"]
    assert "web page" in servers[1]["problem"]
    assert "status 404" in servers[2]["problem"]
    code, out, err = toolhaft("models", "detect", *words)
    assert code == 0
    assert f"http://127.0.0.1:{first}/v1#qwen3:8b" in out
    assert "web page" in err


def test_no_server_is_said_to_be_none(toolhaft):
    code, out, err = toolhaft("models", "detect", "--port", 1)
    assert (code, out) == (0, "")
    assert "No model server answers" in err
    code, out, _ = toolhaft("models", "detect", "--port", 1, "--json")
    assert json.loads(out) == {"ports": [1], "servers": []}


def test_kinds_of_models_and_what_auto_stands_for(toolhaft, monkeypatch):
    code, out, _ = toolhaft("models", "list")
    assert code == 0
    assert "openai:NAME" in out
    assert "auto stands for heuristic" in out
    monkeypatch.setenv("TOOLHAFT_MODEL", "openai:gpt-5")
    code, out, _ = toolhaft("models", "list", "--json")
    shown = json.loads(out)
    assert shown["auto"] == "openai:gpt-5"
    assert {"scheme": "heuristic", "reference": "heuristic", "plugin": "builtin"} in shown["models"]

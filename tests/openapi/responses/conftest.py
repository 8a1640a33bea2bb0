"""A loopback API whose every answer, byte and fault is chosen by the test."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from toolhaft.openapi.source import OpenAPISource


class Exchange(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def _answer(self):
        self.rfile.read(int(self.headers.get("content-length") or 0))
        self.server.seen.append((self.command, self.path, dict(self.headers)))
        route = self.server.routes.get(self.path.partition("?")[0])
        try:
            if route is None:
                self.reply(404, {"message": "no such route"})
            elif callable(route):
                route(self)
            else:
                self.reply(*route)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    do_GET = do_POST = do_PUT = do_DELETE = _answer

    def reply(self, status=200, body=b"", media="application/json", headers=()):
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        if media:
            self.send_header("content-type", media)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def begin(self, media, length=None):
        """Begin an answer that is written piece by piece and ends with the connection."""
        self.send_response(200)
        self.send_header("content-type", media)
        if length is not None:
            self.send_header("content-length", str(length))
        self.send_header("connection", "close")
        self.end_headers()
        self.close_connection = True

    def query(self, name, default=""):
        from urllib.parse import parse_qs

        return parse_qs(self.path.partition("?")[2]).get(name, [default])[0]

    def log_message(self, *_):
        pass


@pytest.fixture
def api():
    """``routes`` maps a path to (status, body, media type, headers) or to a function of the exchange."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Exchange)
    server.daemon_threads = True
    server.seen, server.routes = [], {}
    server.base = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join(5)


@pytest.fixture
def tool_of(document, api):
    """Make the tool of one operation that speaks to the loopback API."""

    async def make(operation, *, pages=None, wait=None, patience=None, source=None, **fields):
        opened = OpenAPISource(allow_hosts=["127.0.0.1"], server=api.base, **(source or {}))
        catalog = await opened.load(document(operation, **fields))
        tool = catalog["thing"]
        if pages or wait or patience:
            tool = tool.following(pages=pages, wait=wait, patience=patience)
        return tool

    return make

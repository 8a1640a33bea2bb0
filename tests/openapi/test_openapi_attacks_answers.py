"""Answers that repeat the caller's secret in other letters, lead elsewhere, or never end."""

from __future__ import annotations

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from toolhaft import open_catalog
from toolhaft.errors import LimitError, StatusError

CANARY = "canary-secret-77"


class Server:
    """Answers every request alike, and keeps what was asked."""

    def __init__(self):
        self.asked = []
        self.status, self.headers, self.body, self.endless = 200, {}, b"{}", False
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *words):
                return

            def do_GET(self):
                self.close_connection = True
                outer.asked.append(self.path)
                self.send_response(outer.status)
                sent = {"Connection": "close"}
                if not outer.endless:
                    sent["Content-Length"] = str(len(outer.body))
                for name, value in {**sent, **outer.headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                try:
                    self.wfile.write(outer.body)
                    while outer.endless:
                        self.wfile.write(outer.body)
                        time.sleep(0.001)
                except OSError:
                    return

            do_POST = do_GET

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True
        ).start()

    def answer(self, body, media="application/json", status=200, **headers):
        self.body = body if isinstance(body, bytes) else body.encode()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.status, self.headers = status, {"Content-Type": media, **named}

    def close(self):
        self.endless = False
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def api():
    server = Server()
    yield server
    server.close()


@pytest.fixture
def other():
    server = Server()
    yield server
    server.close()


@pytest.fixture
def opened(api, monkeypatch):
    monkeypatch.setenv("ATTACKED_KEY", CANARY)

    def open_it(media="application/json", method="get", **settings):
        parameters = [{"name": "cursor", "in": "query", "schema": {"type": "string"}}]
        schema = {
            "type": "object",
            "properties": {"items": {"type": "array"}, "next_cursor": {"type": "string"}},
        }
        answers = {"200": {"description": "ok", "content": {media: {"schema": schema}}}}
        document = {
            "openapi": "3.1.0",
            "info": {"title": "Items", "version": "1"},
            "servers": [{"url": f"{api.url}/v1"}],
            "components": {"securitySchemes": {"key": {"type": "apiKey", "in": "query", "name": "api_key"}}},
            "security": [{"key": []}],
            "paths": {
                "/items": {method: {"operationId": "op", "parameters": parameters, "responses": answers}}
            },
        }
        return open_catalog(document, allow_hosts=["127.0.0.1"], auth={"key": "env:ATTACKED_KEY"}, **settings)

    return open_it


ESCAPED = '{"canary\\u002dsecret-77": "canary\\u002dsecret-77"}'
PARTS = f"--b\r\nContent-Type: application/json\r\n\r\n{ESCAPED}\r\n--b--"
ECHOES = {
    "json": (ESCAPED, "application/json", {}),
    "cursor": ('{"items": [1], "next_cursor": "canary\\u002dsecret-77"}', "application/json", {}),
    "mismatch": ('{"items": "canary\\u002dsecret-77"}', "application/json", {}),
    "utf-16": (json.dumps({"a": CANARY}).encode("utf-16"), "application/json; charset=utf-16", {}),
    "text": (CANARY.encode("utf-16"), "text/plain; charset=utf-16", {}),
    "xml": ('<a b="canary&#45;secret-77">canary&#x2d;secret-77</a>', "application/xml", {}),
    "form": ("a=canary%2dsecret-77", "application/x-www-form-urlencoded", {}),
    "parts": (PARTS, "multipart/mixed; boundary=b", {}),
    "file": (
        b"\0\1",
        "application/octet-stream",
        {"Content_Disposition": "attachment; filename*=UTF-8''canary%2dsecret-77.bin"},
    ),
}


@pytest.mark.parametrize("case", ECHOES)
def test_a_secret_in_other_letters_is_masked_all_the_same(api, opened, case):
    body, media, headers = ECHOES[case]
    api.answer(body, media, **headers)
    result = opened().call_sync("op")
    assert CANARY not in repr(result)
    assert "[secret env:ATTACKED_KEY]" in repr(result)


@pytest.mark.parametrize(
    ("body", "media"),
    [
        (
            '{"title": "canary\\u002dsecret-77", "errors": [{"message": "canary\\u002dsecret-77"}]}',
            "application/json",
        ),
        ("<error><message>canary&#45;secret-77</message></error>", "application/xml"),
    ],
)
def test_a_secret_in_an_error_is_masked_too(api, opened, body, media):
    api.answer(body, media, 400)
    with pytest.raises(StatusError) as raised:
        opened().call_sync("op")
    error = raised.value
    assert all(CANARY not in shown for shown in (str(error), repr(error), str(error.to_dict())))
    assert "[secret env:ATTACKED_KEY]" in error.what


@pytest.mark.parametrize(
    "link",
    ["{other}/v1/items", "//{host}/v1/items", "{own}@{host}/v1/items", "{other}\\@{own_host}/v1/items"],
)
def test_no_next_page_of_another_origin_is_asked_for(api, other, opened, link):
    host, own = other.url.removeprefix("http://"), api.url.removeprefix("http://")
    url = link.format(other=other.url, host=host, own=api.url, own_host=own)
    api.answer('{"items": [1]}', Link=f'<{url}>; rel="next"')
    assert opened(pages=10).call_sync("op")["items"] == [1]
    assert (len(api.asked), other.asked) == (1, [])


def test_no_state_of_work_is_asked_for_elsewhere(api, other, opened):
    api.answer('{"status": "running"}', status=202, Location=f"{other.url}/state")
    opened(method="post", wait=1.0).call_sync("op")
    assert (len(api.asked), other.asked) == (1, [])


@pytest.mark.parametrize(
    ("chunk", "media"),
    [(b"data: x\n\n", "text/event-stream"), (b'{"a": 1}\n', "application/x-ndjson")],
)
def test_an_endless_stream_is_left(api, opened, chunk, media):
    api.answer(chunk * 50, media)
    api.endless = True
    assert len(opened(media).call_sync("op")) <= 1000


def test_an_endless_line_is_one_error(api, opened):
    api.answer(b"x" * 100_000, "text/event-stream")
    api.endless = True
    with pytest.raises(LimitError, match="a line of the answer is longer"):
        opened("text/event-stream").call_sync("op")


@pytest.mark.parametrize(
    "link",
    ["<" * 8000, "<a>;" + " ;" * 4000, '<a>; rel="' + "\\" * 8000],
    ids=["angles", "semicolons", "backslashes"],
)
def test_a_link_that_is_none_is_read_at_once(api, opened, link):
    api.answer('{"items": [1]}', Link=link)
    began = time.perf_counter()
    assert opened(pages=3).call_sync("op") == {"items": [1]}
    assert time.perf_counter() - began < 3

"""``toolhaft call --pages`` follows the pages of a result, from a document and from a saved catalog."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest


@pytest.fixture
def paged(tmp_path):
    """Serve three pages of two items each, and write the document that describes them."""

    class Pages(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            page = int(parse_qs(urlsplit(self.path).query).get("page", ["1"])[0])
            items = [{"id": number} for number in range((page - 1) * 2, page * 2)] if page < 4 else []
            body = json.dumps(items).encode()
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Pages)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    numbers = [{"name": name, "in": "query", "schema": {"type": "integer"}} for name in ("page", "per_page")]
    items = {"type": "array", "items": {"type": "object"}}
    answer = {"description": "Items", "content": {"application/json": {"schema": items}}}
    document = {
        "openapi": "3.1.0",
        "info": {"title": "Items", "version": "1"},
        "servers": [{"url": f"http://127.0.0.1:{server.server_address[1]}"}],
        "paths": {
            "/items": {
                "get": {"operationId": "listItems", "parameters": numbers, "responses": {"200": answer}}
            }
        },
    }
    (tmp_path / "items.json").write_text(json.dumps(document))
    yield "items.json"
    server.shutdown()
    server.server_close()
    thread.join(5)


def test_pages_are_followed_on_request_alone(paged, toolhaft):
    toolhaft("tools", "import", paged, "-o", "items.catalog", "--allow-host", "127.0.0.1")
    for location in (paged, "items.catalog"):
        words = ("call", location, "listItems", "--allow-host", "127.0.0.1", "--json")
        _, out, err = toolhaft(*words)
        assert [item["id"] for item in json.loads(out)] == [0, 1], err
        _, out, err = toolhaft(*words, "--pages", "2")
        assert [item["id"] for item in json.loads(out)] == [0, 1, 2, 3]
        assert "note: " in err, "there is more, and it says how to get it"
    _, out, _ = toolhaft("tools", "show", paged, "listItems")
    assert "follow them with --pages N" in out

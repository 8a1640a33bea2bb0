"""A server that speaks the part of Qdrant's REST interface that is used here, kept by Qdrant's local mode."""

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from qdrant_client import QdrantClient, models


class Stub:
    """What the server holds and saw.

    Attributes:
        seen: Method, path and key of every request.
        fail: Status that requests for points end with from now on; 0 is none.
    """

    def __init__(self, key=""):
        self.client = QdrantClient(":memory:")
        self.key = key
        self.seen = []
        self.fail = 0
        self.turn = threading.Lock()
        self.url = ""

    def answer(self, method, path, body):
        """Return status and result of a request."""
        _, _, name, *rest = path.partition("?")[0].split("/")
        action = (method, "/".join(rest))
        if self.fail and rest[:1] == ["points"]:
            return self.fail, None
        if action == ("GET", "exists"):
            return 200, {"exists": self.client.collection_exists(name)}
        if action == ("PUT", ""):
            vectors = models.VectorParams(**body["vectors"])
            return 200, self.client.create_collection(name, vectors, metadata=body.get("metadata"))
        if action == ("GET", ""):
            return 200, self.client.get_collection(name).model_dump(mode="json")
        if action == ("PATCH", ""):
            return 200, self.client.update_collection(name, metadata=body["metadata"])
        if action == ("PUT", "points"):
            done = self.client.upsert(name, models.Batch(**body["batch"]))
            return 200, done.model_dump(mode="json")
        if action == ("POST", "points/delete"):
            done = self.client.delete(name, models.PointIdsList(points=body["points"]))
            return 200, done.model_dump(mode="json")
        if action == ("POST", "points/count"):
            return 200, {"count": self.client.count(name).count}
        if action == ("POST", "points/scroll"):
            points, offset = self.client.scroll(
                name, limit=body["limit"], offset=body.get("offset"), with_payload=True
            )
            return 200, {
                "points": [each.model_dump(mode="json") for each in points],
                "next_page_offset": offset,
            }
        if action == ("POST", "points/query"):
            query = body["query"]
            query = query["nearest"] if isinstance(query, dict) else query
            found = self.client.query_points(name, query=query, limit=body["limit"], with_payload=True)
            return 200, found.model_dump(mode="json")
        return 404, None


@contextmanager
def serving(stub):
    """Serve on a free port of loopback until the end of the block."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _do(self):
            length = int(self.headers.get("content-length") or 0)
            body = json.loads(self.rfile.read(length)) if length else {}
            key = self.headers.get("api-key", "")
            stub.seen.append((self.command, self.path, key))
            if stub.key and key != stub.key:
                status, result = 401, None
            else:
                with stub.turn:
                    status, result = stub.answer(self.command, self.path, body)
            said = {"result": result, "status": "ok" if status == 200 else {"error": "no"}, "time": 0.0}
            content = json.dumps(said).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_PUT = do_POST = do_PATCH = do_DELETE = _do

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    stub.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield stub
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
        stub.client.close()

"""A service on loopback that counts what reaches it, by name and by idempotency key.

It also stands in for a model that is asked over the network, and can be told to be slow.
"""

import asyncio
import json
import threading
import time
from collections import Counter, defaultdict
from urllib.parse import parse_qs, urlsplit

KINDS = ("look", "put", "send")
"""A read, a repeatable write, and a plain write: the calls of every job, in this order."""


class EffectService:
    """Answers each call after a moment, in a thread of its own; use it with ``with``.

    Attributes:
        arrived: How often each ``(kind, name)`` arrived whole.
        keys: The idempotency keys that each ``(kind, name)`` arrived with.
        asked: How often the model was asked.
        delay: Seconds until a call is answered; the model answers at once.
    """

    def __init__(self, delay=0.002):
        self.delay = delay
        self.arrived = Counter()
        self.keys = defaultdict(set)
        self.asked = 0
        self.port = 0
        self._loop = asyncio.new_event_loop()
        self._changed = threading.Condition()
        self._connections = set()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        started = threading.Event()
        self._loop.call_soon(lambda: self._loop.create_task(self._serve(started)))
        self._thread.start()
        assert started.wait(10)
        return self

    def __exit__(self, *_):
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    @property
    def total(self):
        """Calls that arrived in all."""
        return self.arrived.total()

    def wait_for(self, total, *, alive=lambda: True, timeout=30.0):
        """Wait until so many calls have arrived; false if the caller is dead or time is over before."""
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            with self._changed:
                if self._changed.wait_for(lambda: self.total >= total, 0.02):
                    return True
            if not alive():
                return False
        return False

    def quiet(self):
        """Wait until the connections of whoever was killed are gone, so that the counts stand still."""
        end = time.monotonic() + 5
        while self._connections and time.monotonic() < end:
            time.sleep(0.001)

    def document(self):
        """Return the service's OpenAPI document."""
        name = {"name": "name", "in": "query", "required": True, "schema": {"type": "string"}}
        ends = {"responses": {"200": {"description": "How often it arrived."}}}
        plain = {"x-toolhaft-effect": "write"}  # what is called "send" could not be taken back otherwise
        methods = {"look": "get", "put": "put", "send": "post"}
        paths = {
            f"/{kind}": {
                method: {
                    "operationId": kind,
                    "summary": f"{kind} a name",
                    "parameters": [name],
                    **ends,
                    **(plain if kind == "send" else {}),
                }
            }
            for kind, method in methods.items()
        }
        return {
            "openapi": "3.1.0",
            "info": {"title": "Effects", "version": "1"},
            "servers": [{"url": f"http://127.0.0.1:{self.port}"}],
            "paths": paths,
        }

    def _run(self):
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()
        tasks = asyncio.all_tasks(self._loop)
        for task in tasks:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))

    async def _serve(self, started):
        server = await asyncio.start_server(self._talk, "127.0.0.1", 0, backlog=1000)
        self.port = server.sockets[0].getsockname()[1]
        started.set()
        try:
            await server.serve_forever()
        finally:
            for connection in self._connections:
                connection.transport.abort()

    async def _talk(self, reader, writer):
        self._connections.add(writer)
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                first, *lines = head.decode("latin-1").split("\r\n")
                headers = {
                    name.lower(): value.strip() for name, _, value in (x.partition(":") for x in lines)
                }
                body = await reader.readexactly(int(headers.get("content-length") or 0))
                answer = json.dumps(await self._answer(first.split()[1], headers, body)).encode()
                writer.write(
                    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s"
                    % (len(answer), answer)
                )
                await writer.drain()
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the other side is gone, or the test is over
        finally:
            self._connections.discard(writer)
            writer.close()

    async def _answer(self, target, headers, body):
        url = urlsplit(target)
        kind = url.path.strip("/")
        if kind == "v1/chat/completions":
            self.asked += 1
            await asyncio.sleep(0.001)
            return complete(json.loads(body))
        name = parse_qs(url.query)["name"][0]
        with self._changed:
            self.arrived[kind, name] += 1
            self.keys[kind, name].add(headers.get("idempotency-key", ""))
            self._changed.notify_all()
        await asyncio.sleep(self.delay)
        return {"name": name, "kind": kind}


def complete(request):
    """Return what a model says that makes the three calls in order: see `next_call`."""
    messages = request["messages"]
    user = next(message["content"] for message in messages if message["role"] == "user")
    call = next_call(user, sum(message["role"] == "tool" for message in messages))
    message = {"role": "assistant", "content": None if call else "Done."}
    if call:
        function = {"name": call[0], "arguments": json.dumps({"name": call[1]})}
        message["tool_calls"] = [{"id": "c", "type": "function", "function": function}]
    return {"model": "clerk", "choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}


def next_call(instruction, done):
    """Return ``(kind, name)`` of the call that follows so many, or None after the last."""
    return (KINDS[done], instruction.split()[-1]) if done < len(KINDS) else None

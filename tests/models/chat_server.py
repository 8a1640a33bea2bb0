"""A chat endpoint that misbehaves as it is told: the script stands in the path of each request.

``http://127.0.0.1:PORT/<base64 of JSON>/v1/chat/completions`` is answered by that script:

- ``status``, ``headers``, ``body``: the answer; the body is text, or ``{"repeat": [text, times]}``
- ``pieces``: the body in pieces, sent as a chunked stream; ``pause``: seconds before each
- ``wait``: seconds before anything is sent; ``close``: "before" or "within" the body
- ``raw``: bytes as Latin-1 text in place of an HTTP answer
- ``echo``: answer with a completion that holds the request; ``echo_stream``: likewise as a stream
- ``models``: what GET /models returns

Prints its port, and ends when its standard input closes.
"""

import asyncio
import base64
import json
import sys


async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", 0, limit=50_000_000)
    print(server.sockets[0].getsockname()[1], flush=True)
    async with server:
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


async def serve(reader, writer):
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            method, path, _ = head.split(b"\r\n")[0].decode().split(" ")
            pairs = [line.split(b": ", 1) for line in head.split(b"\r\n")[1:] if line]
            headers = {name.decode().lower(): value.decode("latin-1") for name, value in pairs}
            body = await reader.readexactly(int(headers.get("content-length", 0)))
            script = json.loads(base64.urlsafe_b64decode(path.split("/")[1]))
            if not await answer(writer, script, method, path, headers, body):
                break
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


async def answer(writer, script, method, path, headers, body):
    await asyncio.sleep(script.get("wait", 0))
    if method == "GET":
        script = {"body": json.dumps(script["models"])} if "models" in script else script
    elif "echo" in script or "echo_stream" in script:
        seen = json.dumps({"path": path, "headers": headers, "body": body.decode("utf-8", "replace")})
        script = echo(seen, "echo_stream" in script)
    if script.get("close") == "before":
        return False
    if "raw" in script:
        writer.write(script["raw"].encode("latin-1"))
        await writer.drain()
        return False
    return await write(writer, script)


def echo(seen, streamed):
    if streamed:
        event = {"choices": [{"delta": {"content": seen}, "finish_reason": "stop"}]}
        pieces = [f"data: {json.dumps(event)}\n\n", "data: [DONE]\n\n"]
        return {"headers": {"content-type": "text/event-stream"}, "pieces": pieces}
    choice = {"message": {"role": "assistant", "content": seen}, "finish_reason": "stop"}
    return {"body": json.dumps({"choices": [choice]})}


async def write(writer, script):
    headers = {"content-type": "application/json", **script.get("headers", {})}
    status = script.get("status", 200)
    pieces = script.get("pieces")
    text = script.get("body", "")
    if isinstance(text, dict):
        part, times = text["repeat"]
        text = part * times
    data = text.encode("utf-8", "surrogatepass")
    if pieces is None:
        headers["content-length"] = str(len(data))
    else:
        headers["transfer-encoding"] = "chunked"
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    writer.write(f"HTTP/1.1 {status} Status\r\n{lines}\r\n".encode("latin-1"))
    if script.get("close") == "within":
        writer.write(data[: len(data) // 2])
        await writer.drain()
        return False
    if pieces is None:
        writer.write(data)
    for piece in pieces or ():
        await asyncio.sleep(script.get("pause", 0))
        chunk = piece.encode("utf-8")
        writer.write(b"%x\r\n%s\r\n" % (len(chunk), chunk))
        await writer.drain()
    if pieces is not None:
        writer.write(b"0\r\n\r\n")
    await writer.drain()
    return True


asyncio.run(main())

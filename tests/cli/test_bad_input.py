"""Bad input ends in one clear message, the right exit code, and no traceback."""

import asyncio
import json
import re
import sqlite3
import threading

import pytest

GOOD = """
openapi: 3.1.0
info: {title: Notes, version: "1"}
servers: [{url: "http://127.0.0.1:9"}]
paths:
  /notes:
    get:
      operationId: listNotes
      summary: List the notes
      parameters:
        - {name: limit, in: query, schema: {type: integer, minimum: 1}}
      responses: {"200": {description: The notes}}
    post:
      operationId: addNote
      summary: Add a note with a text
      requestBody:
        required: true
        content:
          application/json:
            schema: {type: object, required: [text], properties: {text: {type: string}}}
      responses: {"201": {description: Added}}
"""
FILES = {
    "good.yaml": GOOD,
    "empty.yaml": "",
    "list.json": "[1, 2]",
    "cut.json": '{"openapi": "3.1.0", "info": ',
    "tabs.yaml": "openapi: 3.1.0\n\tinfo: x\n",
    "page.html": "<!DOCTYPE html><html><body>Please log in</body></html>",
    "page.yaml": "<!DOCTYPE html><html><body>Please log in</body></html>",
    "binary.yaml": "\0\1\2\3",
    "swagger.json": '{"swagger": "2.0", "info": {"title": "Old", "version": "1"}, "paths": {}}',
    "postman.json": '{"info": {"_postman_id": "1", "schema": "https://schema.getpostman.com/"}, "item": []}',
    "asyncapi.yaml": "asyncapi: 2.6.0\ninfo: {title: Events, version: '1'}\nchannels: {}\n",
    "nothing.yaml": "openapi: 3.1.0\ninfo: {title: Empty, version: '1'}\npaths: {}\n",
    "future.yaml": "openapi: 9.0.0\ninfo: {title: Far, version: '1'}\npaths: {}\n",
    "bomb.yaml": "a: &a [x,x,x,x,x,x,x,x,x]\n"
    + "\n".join(f"{chr(98 + i)}: &{chr(98 + i)} [{','.join(['*' + chr(97 + i)] * 9)}]" for i in range(9)),
    "broken.py": "def (:\n",
    "mytools.py": "from toolhaft import tool\n@tool(effect='read')\ndef crash() -> float:\n    return 1 / 0",
    "fake.catalog": "this is no database",
    "body.json": '{"text": ',
    "array.json": "[1]",
    "record.jsonl": '{"id": "x", "task": {"id": "t", "instruction": "i"}, "format": 99}\n',
    "broken.jsonl": '{"id": \n',
    "deep.json": "[" * 5000 + "]" * 5000,
}  # fmt: skip
RUN = ("run", "List the notes", "--tools", "good.yaml", "--allow-host", "127.0.0.1")

CASES = [
    # name, words, exit code, what the message must say
    ("missing spec", ("tools", "import", "absent.yaml"), (1, 2), "absent.yaml"),
    ("empty spec", ("tools", "import", "empty.yaml"), (1,), "empty"),
    ("spec is a list", ("tools", "import", "list.json"), (1,), "list.json"),
    ("cut JSON", ("tools", "import", "cut.json"), (1,), "cut.json"),
    ("tabs in YAML", ("tools", "import", "tabs.yaml"), (1,), "tabs.yaml"),
    ("HTML as YAML", ("tools", "import", "page.yaml"), (1,), "HTML"),
    ("binary", ("tools", "import", "binary.yaml"), (1,), "binary.yaml"),
    ("Swagger 2.0", ("tools", "import", "swagger.json"), (1,), "Swagger"),
    ("Postman", ("tools", "import", "postman.json"), (1,), "Postman"),
    ("AsyncAPI", ("tools", "import", "asyncapi.yaml"), (1,), "AsyncAPI"),
    ("no operations", ("tools", "import", "nothing.yaml"), (1,), "nothing.yaml"),
    ("unknown version", ("tools", "import", "future.yaml"), (1,), "9.0.0"),
    ("alias bomb", ("tools", "import", "bomb.yaml"), (1,), "bomb.yaml"),
    ("too deep", ("tools", "import", "deep.json"), (1,), "deep.json"),
    ("a folder", ("tools", "import", "openapi:."), (1, 2), "."),
    ("no kind", ("tools", "import", "page.html"), (2,), "openapi:"),
    ("unknown scheme", ("tools", "import", "opneapi:good.yaml"), (2,), "openapi"),
    ("a scheme that nobody brings", ("tools", "list", "mcp:tools"), (2,), "known: catalog"),
    ("refused host", ("tools", "import", "http://169.254.169.254/openapi.json"), (1,), "169.254.169.254"),
    ("unwritable output", ("tools", "import", "good.yaml", "-o", "no/such/x.catalog"), (2,), "no/such"),
    ("no such catalog", ("tools", "list", "absent.catalog"), (2,), "absent.catalog"),
    ("not a catalog", ("tools", "list", "fake.catalog"), (1,), "fake.catalog"),
    ("catalog of a newer format", ("tools", "list", "newer.catalog"), (1,), "99"),
    ("no such module", ("tools", "list", "python:absent_module"), (2,), "absent_module"),
    ("module without tools", ("tools", "list", "python:json"), (2,), "@tool"),
    ("catalog with another suffix", ("tools", "import", "good.yaml", "-o", "x.json"), (2,), ".catalog"),
    ("a module that is broken", ("tools", "list", "python:broken.py"), (2,), "broken.py"),
    ("a file of tools that is not there", ("tools", "list", "absent.py"), (2,), "absent.py"),
    ("a place that is a file", (*RUN, "-o", "good.yaml"), (2,), "good.yaml"),
    ("an unfitting option", ("tools", "list", "mytools.py", "--allow-host", "h"), (2,), "allow_hosts"),
    ("a scheme that fits nothing", (*RUN, "--tools", "mytools.py", "--auth", "k=env:K"), (2,), "k"),
    ("a tool with a bug", ("call", "mytools.py", "crash"), (1,), "ZeroDivisionError"),
    ("secret by value", ("tools", "import", "good.yaml", "--auth", "key=hunter2"), (2,), "env:NAME"),
    ("auth without =", ("tools", "import", "good.yaml", "--auth", "hunter2"), (2,), "key=value"),
    ("unknown tool", ("call", "good.yaml", "listNote"), (2,), "listNotes"),
    ("argument without =", ("call", "good.yaml", "listNotes", "limit"), (2,), "key=value"),
    ("argument of a wrong type", ("call", "good.yaml", "listNotes", "limit=many"), (2,), "integer"),
    ("argument out of range", ("call", "good.yaml", "listNotes", "limit=0"), (2,), "limit"),
    ("unknown argument", ("call", "good.yaml", "listNotes", "limt=1"), (2,), "limit"),
    ("missing argument", ("call", "good.yaml", "addNote"), (2,), "text"),
    ("argument twice", ("call", "good.yaml", "listNotes", "limit=1", "limit=2"), (2,), "twice"),
    ("body that is cut", ("call", "good.yaml", "addNote", "--body", "@body.json"), (2,), "body.json"),
    ("body that is a list", ("call", "good.yaml", "addNote", "--body", "@array.json"), (2,), "object"),
    ("body that is not there", ("call", "good.yaml", "addNote", "--body", "@absent.json"), (2,), "absent"),
    ("loopback not allowed", ("call", "good.yaml", "listNotes"), (1,), "127.0.0.1"),
    ("nobody listens", ("call", "good.yaml", "listNotes", "--allow-host", "127.0.0.1"), (1,), "127.0.0.1"),
    ("unknown model", (*RUN, "--model", "hueristic"), (2,), "heuristic"),
    ("unknown model scheme", (*RUN, "--model", "gguf:./model"), (2,), "unknown model"),
    ("unknown planner", (*RUN, "--planner", "raect"), (2,), "react"),
    ("unknown retriever", ("tools", "search", "good.yaml", "notes", "--retriever", "bm26"), (2,), "bm25"),
    ("missing key", (*RUN, "--model", "openai:gpt-5"), (1, 2), "OPENAI_API_KEY"),
    ("model endpoint is down", (*RUN, "--model", "http://127.0.0.1:9/v1#m"), (1,), "127.0.0.1:9"),
    ("model answers nonsense", (*RUN, "--model", "http://127.0.0.1:{port}/html#m"), (1,), "{port}"),
    ("model answers another shape", (*RUN, "--model", "http://127.0.0.1:{port}/shape#m"), (1,), "{port}"),
    ("model says 401", (*RUN, "--model", "http://127.0.0.1:{port}/401#m"), (1,), "401"),
    ("model says 404", (*RUN, "--model", "http://127.0.0.1:{port}/404#m"), (1,), "404"),
    ("unknown budget", (*RUN, "--budget", "setps=3"), (2,), "steps"),
    ("budget is no number", (*RUN, "--budget", "steps=many"), (2,), "steps"),
    ("negative budget", (*RUN, "--budget", "steps=-1"), (2,), "steps"),
    ("no such image", (*RUN, "--image", "absent.png"), (2,), "absent.png"),
    ("empty instruction", ("run", " ", "--tools", "good.yaml"), (2,), "instruction"),
    ("no tools", ("run", "List the notes"), (2,), "--tools"),
    ("k of zero", (*RUN, "-k", "0"), (2,), "-k"),
    ("unknown command", ("rnu",), (2,), "run"),
    ("unknown option", ("demo", "--modle", "x"), (2,), "--model"),
    ("nothing to view", ("view", "absent"), (1, 2), "absent"),
    ("a record of a newer format", ("view", "record.jsonl"), (1,), "99"),
    ("a record that is cut", ("view", "broken.jsonl"), (1,), "broken.jsonl"),
    ("unknown plugin", ("plugins", "disable", "evlas"), (1, 2), "evals"),
    ("recording that is not there", (*RUN, "--model", "replay:absent.jsonl"), (1, 2), "absent.jsonl"),
]  # fmt: skip

TRIED_AGAIN = {"nobody listens"}
"""What takes two seconds, because it is tried again."""


@pytest.fixture(scope="module")
def server():
    """A model endpoint that answers nonsense, in a thread of its own."""
    replies = {
        b"/html": (b"200 OK", b"text/html", b"<html>Welcome</html>"),
        b"/shape": (b"200 OK", b"application/json", b'{"choices": "none"}'),
        b"/401": (b"401 Unauthorized", b"application/json", b'{"error": {"message": "bad key"}}'),
        b"/404": (b"404 Not Found", b"application/json", b'{"error": {"message": "no model"}}'),
    }
    started = threading.Event()
    state = {}

    async def answer(reader, writer):
        head = await reader.readuntil(b"\r\n\r\n")
        wanted = next((reply for path, reply in replies.items() if path in head.split(b"\r\n")[0]), None)
        status, kind, body = wanted
        writer.write(
            b"HTTP/1.1 " + status + b"\r\ncontent-type: " + kind + b"\r\nconnection: close\r\n"
            b"content-length: " + str(len(body)).encode() + b"\r\n\r\n" + body
        )
        await writer.drain()
        writer.close()

    async def serve():
        listening = await asyncio.start_server(answer, "127.0.0.1", 0)
        state["port"] = listening.sockets[0].getsockname()[1]
        state["loop"], state["end"] = asyncio.get_running_loop(), asyncio.Event()
        started.set()
        await state["end"].wait()
        listening.close()

    thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
    thread.start()
    started.wait(10)
    yield state["port"]
    state["loop"].call_soon_threadsafe(state["end"].set)
    thread.join(10)


@pytest.fixture
def files(tmp_path):
    for name, text in FILES.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    with sqlite3.connect(tmp_path / "newer.catalog") as file:
        file.execute("CREATE TABLE about (key TEXT, value TEXT)")
        file.execute("CREATE TABLE tools (name TEXT)")
        file.execute("INSERT INTO about VALUES ('format', '99')")
    file.close()


def test_there_are_forty_different_cases():
    assert len({words for _, words, _, _ in CASES}) >= 40


@pytest.mark.parametrize(
    ("words", "codes", "said"),
    [
        pytest.param(*case, id=name, marks=[pytest.mark.slow] if name in TRIED_AGAIN else [])
        for name, *case in CASES
    ],
)
def test_bad_input(words, codes, said, files, server, toolhaft):
    words = [word.replace("{port}", str(server)) for word in words]
    code, out, err = toolhaft(*words)
    assert code in codes, f"{code}\n{out}\n{err}"
    assert said.replace("{port}", str(server)).lower() in err.lower()
    assert "Traceback" not in out + err
    assert "hunter2" not in out + err
    message = [line for line in err.splitlines() if line.startswith("Error:")]
    assert len(message) <= 1
    if message and "Usage:" not in err:
        assert re.search(r"\[E-[A-Z-]+\]", err), "an error shows its code"


def test_an_error_is_json_for_programs(files, toolhaft):
    code, out, _ = toolhaft("tools", "import", "swagger.json", "--json")
    assert code == 1
    assert json.loads(out)["error"]["code"].startswith("E-")


def test_what_was_done_before_an_error_is_saved(files, server, toolhaft, tmp_path):
    code, out, err = toolhaft(*RUN, "--model", f"http://127.0.0.1:{server}/html#m", "-o", "kept")
    assert code == 1
    assert "report.html" in out + err
    assert (tmp_path / "kept" / "trajectories.jsonl").read_text().count("\n") == 1

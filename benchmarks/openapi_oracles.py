"""Ask two other implementations whether requests are right, where they can be believed.

python benchmarks/openapi_oracles.py [--data DIR] [--documents N] [--operations N] [--no-core] [--no-prism]

openapi-core is asked about JSON and urlencoded bodies and query parameters of style form and
pipeDelimited, of documents of 3.0 and 3.1; a Prism mock server about JSON bodies alone. Elsewhere both refuse
requests that are right, or take those that are wrong; so they do with empty query values, which are left out.
Both live in ``.venv-oracles`` (``make openapi-oracles`` makes it), because what openapi-core needs does not
go together with what the tests need. The requests are those whose arguments came back by the independent
reader of ``tests/openapi/roundtrip``.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import warnings
from collections import Counter
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
HOME = ROOT / ".venv-oracles"
SERVER = "https://api.example.com/base"
SIMPLE_BODIES = ("application/json", "application/x-www-form-urlencoded")
REFUSED = (400, 401, 404, 405, 406, 413, 415, 422)


def is_believed(schemas: Any, operation: Any, bodies: tuple[str, ...]) -> bool:
    """Whether an oracle can be believed about an operation: plain parameters, bodies of these types."""
    for one in operation.fields:
        kinds = schemas.kinds(one.schema) - {"null"}
        shape = "object" if "object" in kinds else "array" if "array" in kinds else "scalar"
        if one.media or shape == "object" or one.place in ("cookie", "querystring"):
            return False
        if one.place != "query" and shape != "scalar":
            return False
        if one.place == "query" and one.style not in ("form", "pipeDelimited"):
            return False
    for media, body in operation.bodies.items():
        if media not in bodies or body.fields:
            return False
        if media != "application/json" and any(
            schemas.kinds(schemas.property(body.schema, name)) & {"object"}
            for name in schemas.names(body.schema)
        ):
            return False
    return True


def right_requests(folder: Path, row: dict[str, Any], count: int, bodies: tuple[str, ...]) -> Any:
    """Return a document and requests for it whose arguments came back."""
    from openapi_roundtrip import sampling
    from openapi_roundtrip.calls import Names
    from openapi_roundtrip.documents import read_document
    from openapi_roundtrip.operations import list_operations
    from openapi_roundtrip.running import Runner, seed_of

    from toolhaft.openapi.source import OpenAPISource

    document = read_document(folder / row["file"])
    root = {**document.root, "servers": [{"url": SERVER}], "security": []}
    if document.outside:
        return root, []
    catalog = asyncio.run(OpenAPISource(server=SERVER).load(folder / row["file"]))
    runner = Runner(row["name"], document, catalog, sampling.Generator(document))
    found: list[dict[str, Any]] = []
    for operation in list_operations(document):
        name = runner.tools.get((operation.method, operation.path))
        if len(found) >= count or name is None or not is_believed(runner.decoder.schemas, operation, bodies):
            continue
        tool = catalog[name]
        names = Names(tool)
        if operation.bodies and names.media not in bodies:
            continue
        for given in runner._draw(operation, names, seed_of(row["name"], operation.label), _Notes()):
            given = runner._settled(operation, given, names)
            is_empty = any(value in ("", [], {}) for value in given.fields.values())
            if is_empty or runner._try(operation, tool, names, given):
                continue
            arguments, _ = names.arguments(given, tool.spec.parameters)
            request = tool.request(arguments)  # type: ignore[attr-defined]
            body = None if request.body is None else base64.b64encode(request.body).decode()
            found.append(
                {
                    "label": operation.label,
                    "method": request.method,
                    "url": request.url,
                    "headers": [list(pair) for pair in request.headers],
                    "body": body,
                }
            )
            break
    return root, found


class _Notes:
    """Takes what a generator says, and forgets it."""

    def __init__(self) -> None:
        self.reasons: list[str] = []


def without_security(root: dict[str, Any]) -> dict[str, Any]:
    """Return the document without credentials and other servers: they are not what is asked about."""
    copy: dict[str, Any] = json.loads(json.dumps(root))
    for item in copy.get("paths", {}).values():
        if isinstance(item, dict):
            item.pop("servers", None)
        for node in item.values() if isinstance(item, dict) else ():
            if isinstance(node, dict):
                node.pop("security", None)
                node.pop("servers", None)
                if isinstance(node.get("parameters"), list):
                    node["parameters"] = [one for one in node["parameters"] if not is_ignored(one)]
    return copy


def is_ignored(parameter: Any) -> bool:
    """Whether the specification says that a parameter is to be ignored."""
    ignored = ("accept", "content-type", "authorization")
    return (
        isinstance(parameter, dict)
        and parameter.get("in") == "header"
        and str(parameter.get("name")).lower() in ignored
    )


def ask_core(root: dict[str, Any], requests: list[dict[str, Any]]) -> list[str]:
    """Return what openapi-core says of each request; empty: it takes it."""
    python = HOME / "bin" / "python"
    question = json.dumps({"document": without_security(root), "requests": requests})
    try:
        run = subprocess.run(
            [str(python), __file__, "--answer"],
            input=question.encode(),
            capture_output=True,
            timeout=90,
            check=False,
        )
        answers: list[str] = json.loads(run.stdout.splitlines()[-1]) if run.stdout else []
    except (subprocess.TimeoutExpired, ValueError, IndexError):
        answers = []
    return answers or ["openapi-core could not read the document"] * len(requests)


def answer() -> None:
    """Answer one question of `ask_core`: runs in the oracles' own environment."""
    from urllib.parse import parse_qsl, urlsplit

    import openapi_core
    from openapi_core.datatypes import RequestParameters
    from werkzeug.datastructures import Headers, ImmutableMultiDict

    warnings.simplefilter("ignore")
    question = json.load(sys.stdin)
    config = openapi_core.Config(spec_validator_cls=None)
    api = openapi_core.OpenAPI.from_dict(question["document"], config=config)

    class Asked:
        def __init__(self, one: dict[str, Any]) -> None:
            parts = urlsplit(one["url"])
            headers = Headers([tuple(pair) for pair in one["headers"]])
            self.host_url = f"{parts.scheme}://{parts.netloc}"
            self.path = parts.path
            self.method = one["method"].lower()
            self.content_type = headers.get("content-type", "")
            self.body = base64.b64decode(one["body"]) if one["body"] is not None else None
            pairs = parse_qsl(parts.query, keep_blank_values=True)
            self.parameters = RequestParameters(query=ImmutableMultiDict(pairs), header=headers)

    answers = []
    for one in question["requests"]:
        try:
            api.validate_request(Asked(one))
            answers.append("")
        except Exception as error:  # noqa: BLE001  any of its errors is its answer
            cause = error.__cause__ or error
            answers.append(f"{type(error).__name__}: {type(cause).__name__}: {str(cause)[:100]}")
    print(json.dumps(answers))


def ask_prism(root: dict[str, Any], requests: list[dict[str, Any]]) -> list[str]:
    """Return what a Prism mock server says of each request; empty: it takes it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "api.json"
        plain = without_security(root)
        plain["servers"] = [{"url": f"http://127.0.0.1:{port}"}]
        path.write_text(json.dumps(plain), encoding="utf-8")
        binary = HOME / "node_modules" / ".bin" / "prism"
        command = [str(binary), "mock", "--errors", "-h", "127.0.0.1", "-p", str(port), str(path)]
        server = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**os.environ, "CI": "1"}
        )
        try:
            if not _wait(server, port, seconds=40):
                return ["Prism did not start"] * len(requests)
            return [_send(server, port, one) for one in requests]
        finally:
            server.terminate()
            try:
                server.wait(10)
            except subprocess.TimeoutExpired:
                server.kill()


def _wait(server: subprocess.Popen[bytes], port: int, seconds: float) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end and server.poll() is None:
        try:
            with socket.create_connection(("127.0.0.1", port), 1):
                return True
        except OSError:
            time.sleep(0.2)
    return False


def _send(server: subprocess.Popen[bytes], port: int, one: dict[str, Any]) -> str:
    if server.poll() is not None:
        return "Prism died"
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        body = base64.b64decode(one["body"]) if one["body"] is not None else None
        headers = {name: value for name, value in one["headers"] if name.lower() != "accept"}
        connection.request(one["method"], one["url"].removeprefix(SERVER) or "/", body, headers)
        answered = connection.getresponse()
        text = answered.read().decode("utf-8", "replace")
    except (OSError, HTTPException) as error:
        return f"no answer: {type(error).__name__}"
    finally:
        connection.close()
    return f"{answered.status}: {text[:160]}" if answered.status in REFUSED and "prism" in text else ""


def report(name: str, answers: list[tuple[str, str, str]], seconds: float) -> None:
    """Print how often an oracle agrees, and why not."""
    taken = sum(not said for _, _, said in answers)
    share = taken / len(answers) if answers else 0.0
    print(f"{name}: takes {taken} of {len(answers)} requests, {share:.1%}; {seconds:.0f} s")
    reasons = Counter(said[:90] for _, _, said in answers if said)
    for reason, count in reasons.most_common(15):
        print(f"  {count:4} {reason}")
    for document, label, said in [one for one in answers if one[2]][:15]:
        print(f"  {document} {label}: {said[:200]}")


def main() -> int:
    """Ask both oracles about requests for documents of the corpus."""
    if "--answer" in sys.argv:
        answer()
        return 0
    from openapi_roundtrip_loading import load_reader
    from shared_data import default_folder, require

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=default_folder("openapi"))
    parser.add_argument("--documents", type=int, default=40)
    parser.add_argument("--operations", type=int, default=8)
    parser.add_argument("--no-core", action="store_true")
    parser.add_argument("--no-prism", action="store_true")
    chosen = parser.parse_args()
    require(chosen.data)
    sampling = load_reader()
    warnings.simplefilter("ignore")
    if not (HOME / "bin" / "python").is_file():
        raise SystemExit("the oracles are not installed: make openapi-oracles")
    rows = [
        row
        for row in sampling.rows_of(chosen.data)
        if row["version"][:3] in ("3.0", "3.1") and row["kind"] == "real" and row["bytes"] < 400_000
        if row["file"].count("/") == 1 and ".tar" not in row["file"]
    ]
    rows = sampling.shuffled(rows, 1)[: chosen.documents]
    if not chosen.no_core:
        ask_all("openapi-core", ask_core, rows, chosen, SIMPLE_BODIES)
    if not chosen.no_prism and (HOME / "node_modules" / ".bin" / "prism").exists():
        ask_all("Prism", ask_prism, rows[: max(3, chosen.documents // 3)], chosen, ("application/json",))
    return 0


def ask_all(name: str, ask: Any, rows: list[dict[str, Any]], chosen: Any, bodies: tuple[str, ...]) -> None:
    """Ask one oracle about documents, and print what it said."""
    started = time.perf_counter()
    answers: list[tuple[str, str, str]] = []
    for row in rows:
        root, requests = right_requests(chosen.data, row, chosen.operations, bodies)
        if requests:
            said = ask(root, requests)
            answers += [(row["name"], one["label"], why) for one, why in zip(requests, said, strict=True)]
    report(name, answers, time.perf_counter() - started)


if __name__ == "__main__":
    raise SystemExit(main())

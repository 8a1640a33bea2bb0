"""Sample records and a headless browser for the tests of the report."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import json
import os
import shutil
import signal
from html.parser import HTMLParser
from pathlib import Path

import pytest

from toolhaft.evaluators.comparing import ArmAttempts, Attempt, compare_arms
from toolhaft.types import (
    Artifact,
    ArtifactPart,
    Budget,
    ErrorInfo,
    Exchange,
    Gold,
    JSONPart,
    Observation,
    Score,
    Step,
    Task,
    TextPart,
    ToolCall,
    ToolSpec,
    Trajectory,
    Usage,
)

HOST = "http://127.0.0.1:8801"
PETS = [
    {"id": 7, "name": "Juno", "species": "dog", "age": 11, "weight": 14.5, "status": "available"},
    {"id": 12, "name": "Bram", "species": "dog", "age": 9, "weight": 31.0, "status": "available"},
    {"id": 19, "name": "Pip", "species": "dog", "age": 3, "weight": 8.2, "status": "available"},
    {"id": 23, "name": "Wolf", "species": "dog", "age": 6, "weight": 27.4, "status": "available"},
]


def _exchange(method, path, status, answer, *, body="", seconds=0.021, provenance="live"):
    return Exchange(
        method=method,
        url=f"{HOST}{path}",
        status=status,
        request_headers=(
            ("accept", "application/json"),
            ("authorization", "[secret env:SHELTER_KEY]"),
            ("user-agent", "toolhaft/0.1.0"),
        ),
        request_body=body,
        response_headers=(("content-type", "application/json"), ("x-request-id", "b7e1c0")),
        response_body=json.dumps(answer),
        seconds=seconds,
        provenance=provenance,
    )


def _spec(name, description, effect="read", **properties):
    return ToolSpec(
        name=name,
        description=description,
        effect=effect,
        parameters={"type": "object", "properties": properties},
        source=f"openapi:shelter.yaml#/paths/~1{name}",
        parent="Harbour Shelter",
        tags=("animals",),
    )


def build_sample(id="adopt-juno", *, origin="model", model="qwen3-8b", planner="dfsdt", picture=None):
    """Return a rollout with a branch that was given up, errors of two kinds, a write, and an answer."""
    tools = (
        _spec("findPets", "Find animals by species and status.", species={"type": "string"}),
        _spec("getPet", "One animal by its number, with its health record.", petId={"type": "integer"}),
        _spec("reservePet", "Reserve an animal for a visitor.", "write", petId={"type": "integer"}),
        _spec("weather", "Forecast for a place.", place={"type": "string"}),
    )
    found = Observation(
        call_id="c1",
        tool="findPets",
        parts=(JSONPart(PETS),),
        labels=("tool:findPets",),
        seconds=0.0213,
        exchanges=(_exchange("GET", "/pets?species=dog&status=available", 200, PETS),),
    )
    not_found = {"type": "about:blank", "title": "Not Found", "detail": "There is no animal 1"}
    missing = Observation(
        call_id="c2",
        tool="getPet",
        error=ErrorInfo(
            code="E-HTTP-STATUS",
            what="the server answered 404 Not Found: There is no animal 1",
            where=f"GET {HOST}/pets/1",
            hint="Check the arguments; the service does not know what they name",
            details={"status": 404, "title": "Not Found"},
        ),
        labels=("tool:getPet",),
        seconds=0.0094,
        exchanges=(_exchange("GET", "/pets/1", 404, not_found, seconds=0.0094),),
    )
    refused = Observation(
        call_id="c3",
        tool="reservePet",
        error=ErrorInfo(
            code="E-TOOL-ARGUMENTS",
            what="'Juno' is not of type 'integer'",
            where="#/petId",
            hint="Give petId as a number",
            details={"pointer": "/petId", "schema": {"type": "integer", "minimum": 1}},
        ),
        effect="write",
    )
    record = {
        **PETS[0],
        "health": {"vaccinated": True, "notes": ["Arthritis, mild", "Likes stairs not at all"]},
    }
    parts = [JSONPart(record)]
    if picture is not None:
        parts.append(ArtifactPart(picture))
    details = Observation(
        call_id="c4",
        tool="getPet",
        parts=tuple(parts),
        labels=("tool:getPet",),
        seconds=0.0188,
        exchanges=(_exchange("GET", "/pets/7", 200, record),),
    )
    forecast = Observation(
        call_id="c5",
        tool="weather",
        parts=(TextPart("Saturday in Lisbon: dry, 19 °C, light wind from the west."),),
        provenance="simulated",
        labels=("tool:weather",),
        seconds=0.31,
    )
    reservation = {"reservation": "R-2041", "petId": 7, "visitor": "Ana Silva", "until": "2026-11-28"}
    reserved = Observation(
        call_id="c6",
        tool="reservePet",
        parts=(JSONPart(reservation),),
        effect="write",
        labels=("tool:reservePet",),
        seconds=0.0402,
        exchanges=(
            _exchange(
                "POST",
                "/reservations",
                201,
                reservation,
                body=json.dumps({"petId": 7, "visitor": "Ana Silva"}),
                seconds=0.0402,
            ),
        ),
    )
    names = tuple(spec.name for spec in tools)

    def step(id, parent, **fields):
        usage = Usage(model_calls=1, tool_calls=1, input_tokens=812 + 90 * id, output_tokens=44, seconds=0.62)
        given = {"usage": usage, "offered": names, "origin": origin, "model": model, "started": 0.65 * id}
        return Step(id=id, parent=parent, **{**given, **fields})

    steps = (
        step(
            0,
            None,
            thought="I look for dogs that can be adopted, then for the oldest one under 20 kg.",
            calls=(ToolCall(id="c1", name="findPets", arguments={"species": "dog", "status": "available"}),),
            observations=(found,),
            labels=("user",),
        ),
        step(
            1,
            0,
            thought="The first entry may be the right one.",
            calls=(ToolCall(id="c2", name="getPet", arguments={"petId": 1}),),
            observations=(missing,),
            status="abandoned",
            labels=("user", "tool:findPets"),
        ),
        step(
            2,
            1,
            thought="Then I reserve it by name.",
            calls=(ToolCall(id="c3", name="reservePet", arguments={"petId": "Juno"}),),
            observations=(refused,),
            status="abandoned",
        ),
        step(
            3,
            0,
            thought="Juno is 11 and weighs 14.5 kg. I read the record and check Saturday's weather.",
            calls=(
                ToolCall(id="c4", name="getPet", arguments={"petId": 7}),
                ToolCall(id="c5", name="weather", arguments={"place": "Lisbon", "day": "Saturday"}),
            ),
            observations=(details, forecast),
            labels=("user", "tool:findPets"),
        ),
        step(
            4,
            3,
            calls=(
                ToolCall(
                    id="c6",
                    name="reservePet",
                    arguments={"petId": 7, "visitor": "Ana Silva", "note": {"stairs": False}},
                ),
            ),
            observations=(reserved,),
            labels=("user", "tool:findPets", "tool:getPet", "tool:weather"),
        ),
        step(
            5,
            4,
            thought="Juno is reserved.",
            status="answered",
            usage=Usage(model_calls=1, input_tokens=1630, output_tokens=61, seconds=0.7),
        ),
    )
    return Trajectory(
        id=id,
        task=Task(
            id=f"task-{id}",
            instruction="Reserve the oldest available dog under 20 kg for Ana Silva, and tell me whether it "
            "will be dry in Lisbon on Saturday.",
            artifacts=(picture,) if picture is not None else (),
            gold=Gold(tools=("findPets", "reservePet"), facts=("Juno",)),
            tags=("multi-step", "write"),
        ),
        steps=steps,
        answer="Juno, an 11-year-old dog of 14.5 kg, is reserved for Ana Silva until 28 November (R-2041). "
        "Saturday in Lisbon will be dry, 19 °C.",
        answer_step=5,
        tools=tools,
        retrieved=(
            ("findPets", 11.42),
            ("reservePet", 9.87),
            ("getPet", 7.1),
            ("weather", 6.95),
            ("addPet", 2.3),
        ),
        usage=Usage(
            model_calls=6, tool_calls=6, input_tokens=6842, output_tokens=281, cost=0.0113, seconds=4.21
        ),
        budget=Budget(steps=30),
        planner=planner,
        model=model,
        labels=("user", "tool:findPets", "tool:getPet", "tool:weather", "tool:reservePet"),
        final_state={"reservations": [reservation]},
        settings={"retriever": "bm25", "k": 8},
        started="2026-11-21T10:04:00Z",
        seed=7,
    )


def build_scores(value=1.0):
    """Return what two evaluators say of a sample."""
    return (
        Score(name="solved", value=value, reason="The reservation is in the end state.", evaluator="state"),
        Score(name="gold_recall", value=0.83, reason="5 of 6 facts are in the answer."),
    )


def put_text(record, change):
    """Return a copy of a record in which ``change(text)`` stands for every text that is free to choose."""
    closed = {"effect", "origin", "provenance", "status", "type"}
    if isinstance(record, str):
        return change(record)
    if dataclasses.is_dataclass(record):
        values = {field.name: getattr(record, field.name) for field in dataclasses.fields(record)}
        return dataclasses.replace(
            record,
            **{
                name: put_text(value, change)
                for name, value in values.items()
                if not (name in closed and isinstance(value, str))
            },
        )
    if isinstance(record, dict):
        return {put_text(key, change): put_text(value, change) for key, value in record.items()}
    if isinstance(record, tuple | list):
        return type(record)(put_text(item, change) for item in record)
    return record


KINDS = ("passed", "wrong_state", "wrong_answer", "gave_up")


def build_evaluation(names=("react", "dfsdt"), *, tasks=4, trials=2, change=None):
    """Return a comparison and the records of its arms; ``change`` is put to every text of them.

    Each arm fails on some tasks, in different ways, and the last task goes the same way with all.
    """
    arms, attempts = {}, []
    for place, name in enumerate(names):
        found, scores = [], {}
        for number in range(tasks):
            for trial in range(trials):
                kind = KINDS[(number * (place + 1) + trial * place) % 4 if number < tasks - 1 else 0]
                trajectory = build_sample(f"{name}-{number}-{trial}", planner=name)
                task = dataclasses.replace(
                    trajectory.task, id=f"task-{number}", tags=("one_call", "write")[: 1 + number % 2]
                )
                trajectory = dataclasses.replace(trajectory, task=task)
                score = Score(
                    name="state", value=float(kind == "passed"), reason="Why", details={"failure": kind}
                )
                if change:
                    trajectory, score = put_text(trajectory, change), put_text(score, change)
                    trajectory = dataclasses.replace(trajectory, id=f"{name}-{number}-{trial}")
                    task = dataclasses.replace(trajectory.task, id=f"{number}-{trajectory.task.id}")
                    trajectory = dataclasses.replace(trajectory, task=task)
                found.append(trajectory)
                scores[trajectory.id] = [score]
        arms[name] = (found, scores)
        attempts.append(
            ArmAttempts(
                name=name,
                planner=name,
                model="qwen3-8b",
                attempts=tuple(
                    Attempt.of(trajectory, scores[trajectory.id][0], trial=position % trials)
                    for position, trajectory in enumerate(found)
                ),
            )
        )
    comparison = compare_arms(attempts, title="Planners side by side", resamples=200)
    return (put_text(comparison, change) if change else comparison), arms


@pytest.fixture
def evaluation():
    """Return the builder of small evaluations."""
    return build_evaluation


@pytest.fixture
def sample():
    """Return the builder of sample trajectories."""
    return build_sample


@pytest.fixture
def sample_scores():
    """Return the builder of sample scores."""
    return build_scores


@pytest.fixture
def every_text():
    """Return the function that replaces every text of a record."""
    return put_text


@pytest.fixture
def handle():
    """Return the handle of a picture that is kept nowhere."""
    return Artifact(id="ab" * 32, media_type="image/png", size=1200, name="juno.png")


class Outline(HTMLParser):
    """Checks that every element is closed where it must be, and gathers text by class."""

    VOID = frozenset({"meta", "img", "input"})

    def __init__(self, document):
        super().__init__()
        self.open, self.classes, self.ids, self.links, self.tags, self.text = [], [], [], [], [], []
        self.feed(document)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        assert not any(name.startswith("on") or name == "style" for name in found)
        self.tags.append(tag)
        self.classes += (found.get("class") or "").split()
        self.ids += [found["id"]] if "id" in found else []
        self.links += [found["href"]] if "href" in found else []
        if tag not in self.VOID:
            self.open.append(tag)
        if tag != "b":
            self.text.append(" ")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag
        if tag != "b":
            self.text.append(" ")

    def handle_data(self, data):
        if self.open and self.open[-1] not in ("script", "style"):
            self.text.append(data)


@pytest.fixture
def outline():
    """Return the parser that checks a document and gathers what tests ask about."""
    return Outline


@pytest.fixture
def text_of():
    """Return the function that gives a document's text as one line."""
    return lambda document: " ".join("".join(Outline(document).text).replace("\u00a0", " ").split())


class Browser:
    """One headless chromium, spoken to over its debugging pipe: no port is opened."""

    def __init__(self, reader, writer):
        self._reader, self._writer = reader, writer
        self._number = 0
        self.events = []
        self._session = None

    async def open(self, address, *, width=1100, height=900, dark=False, scripts=True):
        """Open a page in a new tab and wait until it has loaded."""
        target = await self.ask("Target.createTarget", session=False, url="about:blank")
        attached = await self.ask(
            "Target.attachToTarget", session=False, targetId=target["targetId"], flatten=True
        )
        self._session = attached["sessionId"]
        self.events.clear()
        for domain in ("Page", "Runtime", "Network", "Log"):
            await self.ask(f"{domain}.enable")
        await self.ask(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width < 600,
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        await self.ask("Emulation.setEmulatedMedia", features=[scheme])
        if not scripts:
            await self.ask("Emulation.setScriptExecutionDisabled", value=True)
        await self.ask("Page.navigate", url=address)
        while not any(event["method"] == "Page.loadEventFired" for event in self.events):
            self._keep(await self._receive())

    async def evaluate(self, expression):
        """Return the value of a script's expression in the page."""
        answer = await self.ask(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    async def screenshot(self, path, *, whole=True):
        """Write a picture of the page."""
        import base64

        answer = await self.ask("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        path.write_bytes(base64.b64decode(answer["data"]))

    async def ask(self, method, *, session=True, **parameters):
        """Send one command and return its result."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if session:
            message["sessionId"] = self._session
        self._writer.write(json.dumps(message).encode() + b"\0")
        await self._writer.drain()
        wanted = self._number
        while True:
            answer = await self._receive()
            if answer.get("id") == wanted:
                assert "error" not in answer, answer["error"]
                return answer["result"]
            self._keep(answer)

    def seen(self, method):
        """Return the parameters of the events of one kind since the page was opened."""
        return [event["params"] for event in self.events if event["method"] == method]

    async def _receive(self):
        async with asyncio.timeout(60):
            return json.loads((await self._reader.readuntil(b"\0"))[:-1])

    def _keep(self, message):
        if "method" in message and message.get("sessionId") == self._session:
            self.events.append(message)


@pytest.fixture
async def browser(tmp_path):
    """Start chromium for one test; skip where there is none."""
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        pytest.skip("no chromium on this machine")
    to_browser, from_test = os.pipe()
    to_test, from_browser = os.pipe()
    switches = [
        "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
        "--disable-background-networking", "--disable-component-update", "--disable-sync",
        "--disable-dev-shm-usage", "--hide-scrollbars", "--remote-debugging-pipe",
        f"--user-data-dir={tmp_path / 'profile'}",
    ]  # fmt: skip
    with (tmp_path / "chromium.log").open("wb") as log:
        actions = [
            (os.POSIX_SPAWN_DUP2, to_browser, 3),
            (os.POSIX_SPAWN_DUP2, from_browser, 4),
            (os.POSIX_SPAWN_DUP2, log.fileno(), 1),
            (os.POSIX_SPAWN_DUP2, log.fileno(), 2),
        ]
        process = os.posix_spawn(
            program, [program, *switches], dict(os.environ), file_actions=actions, setpgroup=0
        )
    os.close(to_browser)
    os.close(from_browser)
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=1 << 28)
    read_transport, _ = await loop.connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(to_test, "rb")
    )
    write_transport, protocol = await loop.connect_write_pipe(
        lambda: asyncio.streams.FlowControlMixin(loop=loop), os.fdopen(from_test, "wb")
    )
    writer = asyncio.StreamWriter(write_transport, protocol, None, loop)
    try:
        yield Browser(reader, writer)
    finally:
        write_transport.close()
        read_transport.close()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process, signal.SIGKILL)
        os.waitpid(process, 0)


@pytest.fixture
def page(tmp_path):
    """Return a function that writes a document and gives its address."""

    def write(content, name="report.html") -> str:
        path = Path(tmp_path) / name
        path.write_text(content, encoding="utf-8")
        return path.as_uri()

    return write

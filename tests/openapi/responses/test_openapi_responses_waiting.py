"""Work that goes on after the answer, and answers held against what the document promises."""

import time

import pytest

from toolhaft.errors import StatusError
from toolhaft.tools.base import CallContext

pytestmark = pytest.mark.slow

JOB = {"202": {"description": "Accepted"}, "200": {"description": ""}}


def started(location, name="Operation-Location", retry="0"):
    headers = ([(name, location)] if location else []) + [("Retry-After", retry)]
    return (202, {"id": 7, "status": "queued"}, "application/json", headers)


@pytest.mark.anyio
@pytest.mark.parametrize("header", ["Location", "Operation-Location", "Azure-AsyncOperation"])
async def test_work_is_asked_about_until_it_ends(api, tool_of, header):
    asked = []

    def state(exchange):
        asked.append(exchange.command)
        done = len(asked) == 3
        body = {"status": "Succeeded", "rows": 5} if done else {"status": "Running"}
        exchange.reply(200 if done else 202, body, headers=[("Retry-After", "0")])

    api.routes["/things"] = started("/jobs/7", header)
    api.routes["/jobs/7"] = state
    tool = await tool_of({"responses": JOB}, method="post", wait=10)
    result = await tool.call({}, CallContext())
    assert result.value == {"status": "Succeeded", "rows": 5}
    assert (result.notes, asked, len(result.exchanges)) == ((), ["GET"] * 3, 4)
    assert tool.spec.timeout >= 40


@pytest.mark.anyio
async def test_work_is_told_and_not_waited_for_unless_asked(api, tool_of):
    api.routes["/things"] = started("/jobs/7")
    result = await (await tool_of({"responses": JOB}, method="post")).call({}, CallContext())
    assert len(api.seen) == 1
    assert result.value == {"id": 7, "status": "queued"}
    assert "The work goes on (queued); its state is at /jobs/7" in result.notes[0]


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("location", "says"),
    [
        ("https://evil.example/jobs/7", "another origin"),
        ("file:///etc/passwd", "not http"),
        ("//169.254.169.254/latest", "another origin"),
        ("/jobs/\x7f7", "control characters"),
        ("", "read its state later"),
    ],
    ids=["origin", "file", "metadata", "control", "none"],
)
async def test_state_is_asked_of_the_own_origin_alone(api, tool_of, location, says):
    api.routes["/things"] = started(location)
    result = await (await tool_of({"responses": JOB}, method="post", wait=2)).call({}, CallContext())
    assert len(api.seen) == 1
    assert says in result.notes[0]


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("state", "says"),
    [
        ((200, {"status": "failed", "error": "disk"}), "ended as 'failed'"),
        ((500, {"message": "down"}), "could not be read"),
        ((202, {"status": "running"}), "Not finished after 0.4 seconds"),
        ((200, {"status": "whatever"}), ""),
        ((200, {"name": "op", "done": True, "response": {}}), ""),
    ],
    ids=["failed", "error", "slow", "unknown", "google"],
)
async def test_states_that_end_it(api, tool_of, state, says):
    api.routes["/things"] = started("/jobs/7", retry="0")
    api.routes["/jobs/7"] = (*state, "application/json", [("Retry-After", "0")])
    tool = await tool_of({"responses": JOB}, method="post", wait=0.4)
    begun = time.monotonic()
    result = await tool.call({}, CallContext())
    assert time.monotonic() - begun < 4
    assert [note for note in result.notes if says in note] if says else not result.notes


@pytest.mark.anyio
async def test_a_read_that_says_running_is_read_again(api, tool_of):
    count = []

    def state(exchange):
        count.append(1)
        exchange.reply(
            body={"state": "RUNNING" if len(count) < 3 else "COMPLETED"}, headers=[("Retry-After", "0")]
        )

    api.routes["/things"] = state
    result = await (await tool_of({}, wait=5)).call({}, CallContext())
    assert (result.value, len(count)) == ({"state": "COMPLETED"}, 3)


ROW = {
    "type": "object",
    "required": ["id"],
    "properties": {"id": {"type": "integer"}, "kind": {"enum": ["a", "b"]}},
}


def promised(schema=ROW, status="200", media="application/json"):
    return {"responses": {status: {"description": "", "content": {media: {"schema": schema}}}}}


CHECKS = [
    (promised(), (200, {"id": 1, "kind": "a"}), ""),
    (promised(), (200, {"id": "x"}), "differs from the document at /id"),
    (promised(), (200, {"kind": "a"}), '"id" is a required property'),
    (promised(), (200, {"id": 1, "kind": "z"}), "at /kind"),
    (promised({"type": "array", "items": ROW}), (200, [{"id": 1}, {"id": None}]), "at /1/id"),
    (promised(status="2XX"), (201, {"id": "x"}), "at /id"),
    (promised(status="default"), (203, {"id": "x"}), "at /id"),
    (promised(status="201"), (200, {"id": "x"}), ""),
    (promised(), (200, b"<html><body>hi</body></html>", "text/html"), "is a web page"),
    (promised(), (200, b""), "is empty"),
    (promised(), (204, b""), ""),
    (promised(), (200, b"{broken"), "cannot be read as that"),
    (promised({"$ref": "#/components/schemas/Gone"}), (200, {"id": "x"}), ""),
    (promised({"type": "string", "pattern": "(a+)+$"}), (200, "a" * 40 + "!"), ""),
    (promised(), (200, b'{"id": ' + b"[" * 600 + b"]" * 600 + b"}"), ""),
    (
        promised(
            {
                "type": "object",
                "properties": {f"p{n}": {"type": "object", "properties": {"x": ROW}} for n in range(200)},
            }
        ),
        (200, {"p0": 5}),
        "at /p0",
    ),
]


@pytest.mark.anyio
@pytest.mark.parametrize("row", range(len(CHECKS)))
async def test_a_mismatch_is_a_note_and_never_an_error(api, tool_of, row):
    operation, answer, says = CHECKS[row]
    api.routes["/things"] = answer
    result = await (await tool_of(operation)).call({}, CallContext())
    if says:
        assert any(says in note for note in result.notes), result.notes
    else:
        assert not [note for note in result.notes if "pattern" not in note and "a+" not in note]
    assert all(len(note) < 450 for note in result.notes)


@pytest.mark.anyio
async def test_huge_and_broken_answers_end_as_errors(api, tool_of):
    from toolhaft.errors import HTTPError

    def bomb(exchange):
        exchange.begin("application/json")
        for _ in range(2000):
            exchange.wfile.write(b"[" * 10_000)

    api.routes["/things"] = bomb
    with pytest.raises(HTTPError, match="larger than"):
        await (await tool_of({})).call({}, CallContext())
    api.routes["/things"] = (418, b"<html><title>No &lt;b&gt;</title></html>", "text/html")
    with pytest.raises(StatusError, match="a web page"):
        await (await tool_of({})).call({}, CallContext())


@pytest.mark.anyio
async def test_a_large_answer_is_whole_in_python_and_cut_for_a_model(api, tool_of):
    from toolhaft.tools.catalog import Catalog
    from toolhaft.tools.context import RunContext
    from toolhaft.tools.execute import execute
    from toolhaft.tools.toolset import ToolSet
    from toolhaft.types import ToolCall

    rows = [{"id": n, "text": "t" * 400} for n in range(2000)]
    api.routes["/things"] = (200, rows)
    parameters = [
        {"name": name, "in": "query", "schema": {"type": kind}}
        for name, kind in (("limit", "integer"), ("offset", "integer"), ("fields", "string"))
    ]
    tool = await tool_of({"parameters": parameters, **promised({"type": "array", "items": ROW})})
    assert (await tool.call({}, CallContext())).value == rows
    call = ToolCall(id="1", name="thing", arguments={"limit": 2000})
    observation = await execute(call, ToolSet(Catalog([tool])), RunContext(id="r", result_cap=5000))
    assert len(observation.text()) < 5600
    assert observation.value()[0]["id"] == 0
    assert observation.value()[-1].endswith("more items")
    assert "offset=2000" in observation.notes[0]
    assert "limit=" in observation.notes[1]
    assert "fields=" in observation.notes[1]

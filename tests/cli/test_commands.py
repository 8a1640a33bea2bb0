"""What the commands print, for people and for programs."""

import json
import subprocess

import pytest

from toolhaft.cli.main import COMMANDS

SPEC = """
openapi: 3.1.0
info: {title: Notes, version: "1"}
servers: [{url: "https://notes.example.com/v1"}]
security: [{key: []}]
components: {securitySchemes: {key: {type: apiKey, in: header, name: X-Key}}}
paths:
  /notes/{note_id}:
    get:
      operationId: getNote
      summary: Read one note
      parameters:
        - {name: note_id, in: path, required: true, schema: {type: integer}}
        - {name: words, in: query, schema: {type: array, items: {type: string}}}
      responses: {"200": {description: The note}}
  /notes:
    post:
      operationId: addNote
      summary: Write a new note
      requestBody:
        required: true
        content:
          application/json:
            schema: {type: object, required: [text], properties: {text: {type: string}}}
      responses: {"201": {description: Added}}
    put: not described yet
"""


@pytest.fixture
def notes(tmp_path):
    (tmp_path / "notes.yaml").write_text(SPEC)
    return "notes.yaml"


def test_import_prints_what_became_of_each_operation(notes, toolhaft, tmp_path):
    code, out, _ = toolhaft("tools", "import", notes, "-o", "notes.catalog")
    assert code == 3, "a skipped operation is a partial import"
    assert "2 imported, 0 degraded, 1 skipped" in out
    assert "PUT /notes" in out
    assert "/paths/~1notes/put: the operation is not an object" in out
    assert (tmp_path / "notes.catalog").exists()


def test_a_catalog_file_lists_shows_and_searches(notes, toolhaft):
    toolhaft("tools", "import", notes, "-o", "notes.catalog")
    _, out, _ = toolhaft("tools", "list", "notes.catalog")
    assert [line.split()[:2] for line in out.splitlines()[1:]] == [["getNote", "read"], ["addNote", "write"]]
    _, out, _ = toolhaft("tools", "show", "notes.catalog", "getNote")
    assert "note_id" in out
    assert "integer" in out
    _, out, _ = toolhaft("tools", "search", "notes.catalog", "write something new", "--json")
    assert json.loads(out)[0]["name"] == "addNote"


@pytest.mark.parametrize("command", [("list",), ("show", "getNote"), ("search", "note"), ("import",)])
def test_tools_commands_print_json(notes, toolhaft, command):
    name, *rest = command
    _, out, _ = toolhaft("tools", name, notes, *rest, "--json")
    assert json.loads(out)


def test_a_dry_run_prints_the_request_and_sends_nothing(notes, toolhaft):
    words = ("call", notes, "getNote", "note_id=7", 'words=["a", "b c"]', "--auth", "key=env:NOTES_KEY")
    code, out, _ = toolhaft(*words, "--dry-run")
    assert code == 0
    assert out.splitlines()[0] == "GET https://notes.example.com/v1/notes/7?words=a&words=b%20c"
    code, out, _ = toolhaft(*words, "--curl")
    assert code == 0
    assert out.startswith("curl -X GET 'https://notes.example.com/v1/notes/7?words=a&words=b%20c'")
    code, out, _ = toolhaft("call", notes, "addNote", "text=007", "--dry-run", "--json")
    assert json.loads(json.loads(out)["body"]) == {"text": "007"}, "a string argument is taken as written"


def test_a_dry_run_shows_where_a_secret_goes_and_not_its_value(notes, toolhaft, monkeypatch):
    monkeypatch.setenv("NOTES_KEY", "very-secret-value")
    words = ("call", notes, "getNote", "note_id=7", "--auth", "key=env:NOTES_KEY")
    _, shown, _ = toolhaft(*words, "--dry-run")
    assert "X-Key: <env:NOTES_KEY>" in shown
    _, command, _ = toolhaft(*words, "--curl")
    assert command.rstrip().endswith("""-H 'X-Key: '"$NOTES_KEY\"""")
    assert "very-secret-value" not in shown + command


def test_a_curl_command_runs_nothing_that_a_document_wrote(toolhaft, tmp_path):
    hostile = SPEC.replace("name: X-Key", 'name: "X`touch${IFS}trap`"').replace(
        "/notes/{note_id}", "/$(touch trap)/{note_id}"
    )
    (tmp_path / "hostile.yaml").write_text(hostile)
    _, out, _ = toolhaft(
        "call", "hostile.yaml", "getNote", "note_id=7", "--curl", "--auth", "key=env:NOTES_KEY"
    )
    if out:
        subprocess.run(["bash", "-c", out.replace("curl ", "true ", 1)], cwd=tmp_path, check=True)
    assert not (tmp_path / "trap").exists()


def test_run_view_and_json(toolhaft, tmp_path, monkeypatch):
    (tmp_path / "mytools.py").write_text(
        "from toolhaft import tool\n\n@tool(effect='read')\ndef population(city: str) -> int:\n"
        '    """Number of people in a city."""\n    return 700_000\n'
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    code, out, err = toolhaft(
        "run", "What is the population of the city Oslo?", "--tools", "python:mytools", "-o", "kept", "--json"
    )
    assert code == 0, err
    result = json.loads(out)
    assert result["status"] == "answered"
    assert "700000" in result["answer"].replace(",", "")
    assert "heuristic" in err, "what stands in for a language model says so"
    code, out, _ = toolhaft("view", "kept")
    assert code == 0
    assert "report.html" in out


def test_version_and_help(toolhaft):
    assert toolhaft("--version")[1].startswith("toolhaft 0.")
    code, out, _ = toolhaft("--help")
    assert code == 0
    for name in ("demo", "run", "call", "tools", "models", "plugins", "serve", "world", "view"):
        assert f"\n  {name} " in out


@pytest.mark.parametrize("group", [*COMMANDS, "search eval", "serve world", "world lint"])
def test_help_is_plain_text_everywhere(group, toolhaft):
    code, out, _ = toolhaft(*group.split(), "--help")
    assert code == 0
    assert "╭" not in out
    assert out.startswith("Usage: toolhaft ")

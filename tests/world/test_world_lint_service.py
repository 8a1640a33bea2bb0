"""The linter sees what does not fit together in a world's files, and what no task can be judged by."""

import json

import pytest
from typer.testing import CliRunner

from toolhaft.cli.world import app
from toolhaft.world.lint import inspect_world, lint_world
from toolhaft.world.reach import reach_of

TASK = {
    "id": "free",
    "instruction": "Which garden plot is free and has at least 50 square metres?",
    "tags": ["one_call", "garden"],
    "gold": {"facts": ["P-3"], "state": []},
    "solution": {
        "calls": [{"tool": "listPlots", "arguments": {"free": True, "at_least": 50}, "save": "found"}],
        "answer": "It is ${found/plots/0/plot_id}.",
    },
}


def edit(file, old, new):
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))


def lint_rows(garden, *rows):
    for file in (garden / "tasks").iterdir():
        file.unlink()
    (garden / "tasks" / "own.json").write_text(json.dumps(rows))
    return lint_world(garden)


CHECKS = [
    ({"path": "/garden/plots/P-1/metres", "equals": 40}, "no operation changes"),
    ({"path": "/garden/plots", "where": {"metres": {"at_least": 1}}, "count": 3}, "no operation changes"),
    ({"path": "/garden/plots", "where": {}, "count": 3}, "no operation changes"),
    ({"path": "/garden/plots/P-9", "equals": {"exists": False}}, "no operation changes"),
    ({"path": "/today", "equals": "2026-06-01"}, "no operation changes"),
    ({"path": "/writes", "where": {"operation": "listPlots"}, "count": 0}, "no operation changes"),
    ({"path": "/writes", "where": {}, "count": 0}, None),
    ({"path": "/writes", "where": {"service": "garden"}, "count": 0}, None),
    ({"path": "/writes", "where": {"operation": "endLease"}, "count": 0}, None),
    ({"path": "/garden/plots/P-1/free", "equals": False}, None),
    ({"path": "/garden/plots/P-1", "equals": {"plot_id": "P-1", "metres": 40, "free": False}}, None),
    ({"path": "/garden/plots/[plot_id=P-1]/free", "equals": False}, None),
    ({"path": "/garden/plots", "where": {"free": True}, "count": 2}, None),
    ({"path": "/garden/leases/L-1/crop", "equals": "beans"}, None),
    ({"path": "/garden/leases/L-901", "equals": {"exists": False}}, None),
    ({"path": "/garden/leases", "where": {"gardener": "Kim Sato"}, "count": 1}, None),
    ({"path": "/garden/last_id", "equals": 900}, None),
]


@pytest.mark.parametrize(("row", "message"), CHECKS, ids=range(len(CHECKS)))
def test_a_check_of_what_nobody_can_change_is_found(garden, row, message):
    task = {**TASK, "gold": {"facts": ["P-3"], "state": [row]}}
    found = lint_rows(garden, task)
    if message is None:
        assert [str(finding) for finding in found] == []
        return
    assert [(finding.code, finding.pointer) for finding in found] == [
        ("check-cannot-fail", "/0/gold/state/0")
    ]
    assert message in found[0].message


def test_a_check_of_what_the_task_sets_up_is_meant_so(garden):
    row = {"path": "/garden/plots/P-1/metres", "equals": 41}
    setup = [{"set": "/garden/plots/P-1/metres", "value": 41}]
    assert lint_rows(garden, {**TASK, "gold": {"facts": ["P-3"], "state": [row]}, "setup": setup}) == []


def test_what_rules_can_change():
    rows = [
        {"update": "/a", "values": {"x/y": 1}},
        {"remove": "/b", "where": {}},
        {"set": "/c/${k}", "value": {}},
        {"merge": "/d/${k}", "values": {"z": 1}},
        {"append": "/e/${k}/list", "value": 1},
        {"set": "/f/${k}/${field}", "value": 1},
        {"remove": "/g/${k}"},
        {"insert": "h", "value": {}},
    ]
    reach = reach_of({"operations": {"one": {"change": rows}, "two": None}})
    assert (reach.made, reach.gone) == ({"c", "h"}, {"b", "g"})
    assert reach.fields == {"a": {"x"}, "c": {"*"}, "d": {"z"}, "e": {"list"}, "f": {"*"}}
    state = {name: {"k": {}} for name in "abcdefgh"}
    for path, where, touched in (
        ("a", {"x/y": 1}, True),
        ("a", {"w": 1}, False),
        ("a/k/x", {}, True),
        ("a/k", {}, True),
        ("a/k/w", {}, False),
        ("d/k/z/deep", {}, True),
        ("e/k/list", {"n": 1}, True),
        ("e/k/other", {"n": 1}, False),
        ("f/k/anything", {}, True),
        ("g/k/x", {}, True),
        ("h/k/x", {}, False),
        ("h/new/x", {}, True),
        ("h/[x=1]", {}, True),
        ("", {}, True),
    ):
        assert reach.touches(path, where, state) is touched, path


def test_a_parameter_that_no_rule_reads_is_found(garden):
    edit(garden / "rules" / "garden.yaml", "crop: '${crop}', ", "crop: roses, ")
    found = lint_rows(garden, {**TASK, "gold": {"facts": ["P-3"]}})
    assert [(finding.code, finding.pointer) for finding in found] == [
        ("parameter-unread", "/operations/leasePlot")
    ]
    assert found[0].message == "the rule of leasePlot does not use crop"
    assert found[0].file == str(garden / "rules" / "garden.yaml")


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ("metres: 25", "metres: 25.5", "/plots/1"),
        ("{plot_id: P-2, metres: 25, free: true}", "{plot_id: P-2, free: true}", "/plots/1"),
        ("plot_id: P-3, metres: 60", "plot_id: P-3, metres: none", "/plots/2"),
    ],
)
def test_a_record_that_does_not_fit_the_answers_is_found(garden, old, new, place):
    edit(garden / "data" / "garden.yaml", old, new)
    found = [finding for finding in lint_world(garden) if finding.code == "record-undocumented"]
    assert [(finding.file, finding.pointer) for finding in found] == [
        (str(garden / "data" / "garden.yaml"), place)
    ]
    assert "listPlots" in found[0].message


def test_a_record_that_one_operation_shows_is_found(garden):
    document, rules = garden / "garden.yaml", garden / "rules" / "garden.yaml"
    edit(
        document,
        "  /plots/{plot_id}/lease:\n",
        "  /leases/{lease_id}:\n    get:\n      operationId: getLease\n      summary: Show a lease\n"
        "      parameters: [{name: lease_id, in: path, required: true, schema: {type: string}}]\n"
        "      responses:\n        '200':\n          description: It.\n"
        "          content: {application/json: {schema: {$ref: '#/components/schemas/Lease'}}}\n"
        "        default: {description: Refused.}\n"
        "  /plots/{plot_id}/lease:\n",
    )
    edit(
        rules,
        "  leasePlot:\n",
        "  getLease:\n    find: [{in: leases, key: '${lease_id}', as: found}]\n    answer: '${found}'\n"
        "  leasePlot:\n",
    )
    assert [finding.code for finding in lint_world(garden)] == []
    edit(garden / "data" / "garden.yaml", "'2026-12-31'", "Christmas")
    (found,) = lint_world(garden)
    assert (found.code, found.pointer) == ("record-undocumented", "/leases/0")
    assert "until" in found.message


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("data/gardn.yaml", "did you mean garden.yaml?"),
        ("rules/orchard.yaml", "there is no document orchard.yaml"),
        ("data/garden.yml", "must end in .yaml"),
        ("orchard.json", "must end in .yaml"),
        ("orchard.yml", "must end in .yaml"),
        ("README.md", None),
        ("data/notes.txt", None),
    ],
)
def test_a_file_that_nobody_reads_is_found(garden, name, message):
    (garden / name).write_text("{}")
    found = [(finding.code, finding.file) for finding in lint_world(garden)]
    assert found == ([("stray-file", str(garden / name))] if message else [])
    if message:
        assert message in lint_world(garden)[0].message


def two_services(garden):
    """Give the world a second service, and a task of it."""
    for folder in ("", "data/", "rules/"):
        text = (garden / f"{folder}garden.yaml").read_text().replace("gardenKey", "yardKey")
        for name in ("listPlots", "leasePlot", "endLease"):
            text = text.replace(name, f"{name}Yard")
        (garden / f"{folder}yard.yaml").write_text(text)
    tasks = (garden / "tasks" / "garden.yaml").read_text().replace("/garden/", "/yard/")
    for old, new in (("- id: ", "- id: yard-"), (", garden]", ", yard]"), (", garden,", ", yard,")):
        tasks = tasks.replace(old, new)
    for name in ("listPlots", "leasePlot", "endLease"):
        tasks = tasks.replace(name, f"{name}Yard")
    (garden / "tasks" / "yard.yaml").write_text(tasks)


def test_one_bad_service_is_one_problem(garden):
    two_services(garden)
    clean = inspect_world(garden)
    assert [str(finding) for finding in clean.findings] == []
    assert (clean.services, clean.operations, clean.tasks) == (2, 6, 6)
    edit(garden / "rules" / "yard.yaml", "'${lease}'", "'${leese}'")
    broken = inspect_world(garden)
    assert [finding.code for finding in broken.findings] == ["service", "not-judged"]
    assert broken.findings[1].message == "3 of 6 tasks use yard and are not judged"
    assert (broken.services, broken.operations, broken.tasks) == (1, 3, 3)


def test_a_service_without_records_says_which_file_is_missing(garden):
    (garden / "data" / "garden.yaml").unlink()
    service, skipped = lint_world(garden)
    assert (service.code, service.file) == ("service", str(garden / "data" / "garden.yaml"))
    assert "no records" in service.message
    assert "{} is enough" in service.message
    assert skipped.code == "not-judged"
    (garden / "data" / "garden.yaml").write_text("{}")
    assert "no records" not in lint_world(garden)[0].message


@pytest.mark.parametrize("how", ["no folder", "no files", "no rows"])
def test_a_world_without_tasks_is_told_so(garden, how):
    file = garden / "tasks" / "garden.yaml"
    if how == "no rows":
        file.write_text("[]")
    else:
        file.unlink()
    if how == "no folder":
        file.parent.rmdir()
    (found,) = lint_world(garden)
    assert (found.code, found.message) == ("tasks", "there are no tasks")


def test_the_command_says_what_was_checked(garden):
    done = CliRunner().invoke(app, ["lint", str(garden)])
    assert (done.exit_code, done.stdout) == (0, "No problems; checked: 1 service, 3 operations, 3 tasks.\n")
    done = CliRunner().invoke(app, ["lint", str(garden), "--json"])
    assert json.loads(done.stdout) == {
        "problems": 0,
        "checked": {"services": 1, "operations": 3, "tasks": 3},
        "findings": [],
    }
    (garden / "tasks" / "garden.yaml").write_text("[]")
    done = CliRunner().invoke(app, ["lint", str(garden)])
    assert done.exit_code == 1
    assert done.stdout.splitlines()[-1] == "1 problem: 1 tasks; checked: 1 service, 3 operations, 0 tasks."


def test_a_filter_of_yes_and_no_over_a_number(garden):
    from toolhaft.errors import FormatError
    from toolhaft.world.contract import RawRequest
    from toolhaft.world.loading import load_service
    from toolhaft.world.store import Store

    rules = garden / "rules" / "garden.yaml"
    edit(
        rules,
        "where: {free: '${free}', metres: {at_least: '${at_least}'}}",
        "where: {metres: {above: 30, is: '${free}'}}",
    )
    part = load_service("garden", garden)
    store = Store([part.service], {"garden": part.data}, seed=0)
    contract = next(contract for contract in part.contracts if contract.id == "listPlots")
    for query, wanted in (
        ([], ["P-1", "P-2", "P-3"]),
        ([("free", "true")], ["P-1", "P-3"]),
        ([("free", "false")], ["P-2"]),
    ):
        answer = store.perform("x", "garden", contract, RawRequest(path={}, query=query, headers={}))
        assert [row["plot_id"] for row in answer["plots"]] == wanted
    for wrong in ("{is: '${free}'}", "{above: 30, is: big}"):
        edit(rules, "{above: 30, is: '${free}'}", wrong)
        with pytest.raises(FormatError):
            load_service("garden", garden)
        edit(rules, wrong, "{above: 30, is: '${free}'}")

"""The world of the guide works as the bundled one does."""

import json
import subprocess
import sys

import httpx
import pytest

from toolhaft.errors import ConfigError, FormatError, SpecError, StatusError, ToolhaftError, UnknownNameError
from toolhaft.evaluators.state_check import check
from toolhaft.secrets import SecretStore
from toolhaft.world.lint import lint_world
from toolhaft.world.loading import load_service
from toolhaft.world.server import World
from toolhaft.world.source import WorldSource
from toolhaft.world.tasks import load_tasks, reference_solution

pytestmark = pytest.mark.slow


def test_the_guide_s_world_is_clean(garden):
    assert lint_world(garden) == []


@pytest.mark.anyio
async def test_its_tasks_can_be_done_over_http(garden):
    async with World(folder=garden) as world:
        for task in load_tasks(garden / "tasks"):
            await world.prepare(task.id, task)
            catalog = await world.catalog(task.id)
            assert catalog.spec("endLease").effect == "irreversible"

            async def call(name, arguments, catalog=catalog):
                try:
                    return await catalog.call(name, **arguments)
                except StatusError:
                    return await catalog.call(name, **arguments)

            answer = await reference_solution(task).run(call)
            score = check(task, answer, await world.state(task.id))
            assert score.value == 1.0, (task.id, score.reason)
            await catalog.close()


@pytest.mark.anyio
async def test_a_folder_is_a_location_of_tools(garden):
    for location in (garden, str(garden)):
        catalog = await WorldSource().load(location)
        assert catalog.names == ("listPlots", "leasePlot", "endLease")
        assert (await catalog.call("listPlots", free=False))["total"] == 1
        await catalog.close()
    async with World(folder=garden) as world:
        source = WorldSource(auth=world.auth, secrets=SecretStore(world.secrets))
        catalog = await source.load(f"{world.base_url}/runs/x")
        assert len(catalog) == 3
        await catalog.call("leasePlot", plot_id="P-2", gardener="Bo Ek")
        assert "L-901" in (await world.state("x"))["garden"]["leases"]
        await catalog.close()


def test_a_run_is_begun_for_a_task_from_outside(garden):
    world = World(folder=garden)
    world.start()
    try:
        reset, state = f"{world.base_url}/runs/out/reset", f"{world.base_url}/runs/out/state"
        headers = {"X-Garden-Key": world.secrets["TOOLHAFT_WORLD_GARDEN_KEY"]}
        plots = f"{world.service_url('garden', 'out')}/plots"
        assert httpx.post(reset, json={"task": "kim-moves-away"}).status_code == 204
        assert httpx.get(state).json()["garden"]["leases"]["L-1"]["crop"] == "nothing"
        assert httpx.post(reset, json={"task": "beans-for-ann"}).status_code == 204
        assert httpx.get(state).json()["garden"]["leases"]["L-1"]["crop"] == "beans"
        failed = httpx.get(plots, headers=headers)
        assert (failed.status_code, failed.json()["detail"][:8]) == (423, "The list")
        assert httpx.get(plots, headers=headers).status_code == 200
        assert httpx.post(reset).status_code == 204
        assert httpx.get(plots, headers=headers).status_code == 200
        for body, status in (
            (b"{", 400),
            (b"[]", 422),
            (b"{}", 422),
            (b'{"task": 3}', 422),
            (b'{"task": "kim-moves-away", "seed": 1}', 422),
            (b'{"task": "no-such"}', 404),
        ):
            answer = httpx.post(reset, content=body)
            assert answer.status_code == status, body
            assert answer.headers["content-type"] == "application/problem+json"
    finally:
        world.stop()


def test_rates_are_limited_over_http(garden):
    rules = garden / "rules" / "garden.yaml"
    rules.write_text(rules.read_text().replace("calls: 200, seconds: 10", "calls: 2, seconds: 60"))
    world = World(folder=garden)
    world.start()
    try:
        headers = {"X-Garden-Key": world.secrets["TOOLHAFT_WORLD_GARDEN_KEY"]}
        answers = [httpx.get(f"{world.service_url('garden', run)}/plots", headers=headers) for run in "aaab"]
        assert [answer.status_code for answer in answers] == [200, 200, 429, 200]
        assert 1 <= int(answers[2].headers["retry-after"]) <= 60
        assert answers[2].json()["title"] == "Too Many Requests"
    finally:
        world.stop()


@pytest.mark.slow
def test_the_commands_know_folders(garden):
    def run(*words):
        code = "from toolhaft.cli.main import main; main()"
        return subprocess.run(
            [sys.executable, "-c", code, *words], capture_output=True, text=True, timeout=60, check=False
        )

    done = run("world", "lint", str(garden), "--json")
    assert (done.returncode, json.loads(done.stdout)["problems"]) == (0, 0)
    tasks = garden / "tasks" / "garden.yaml"
    tasks.write_text(tasks.read_text().replace("tool: listPlots, arguments", "tool: listPlot, arguments"))
    done = run("world", "lint", str(garden))
    assert done.returncode == 1
    assert "did you mean listPlots" in done.stdout
    assert "tool-unknown" in done.stdout.splitlines()[-1]
    done = run("world", "tasks", str(garden), "--tag", "dead_end", "--json")
    assert [row["id"] for row in json.loads(done.stdout)] == ["beans-for-ann"]
    done = run("world", "tasks", str(garden), "--tag", "deadend")
    assert done.returncode == 2
    assert "dead_end" in done.stderr


@pytest.mark.parametrize(
    ("file", "old", "new", "error", "message"),
    [
        ("world.yaml", None, "services: [gardn]", UnknownNameError, "Did you mean 'garden'"),
        ("world.yaml", None, "services: 3", FormatError, "not a list"),
        ("world.yaml", None, "rooms: []", FormatError, "unknown key 'rooms'"),
        ("world.yaml", None, "titel: Roses", FormatError, "Did you mean 'title'"),
        ("world.yaml", None, "title: 3", FormatError, "not a text"),
        ("world.yaml", None, "[]", FormatError, "not an object"),
        ("world.yaml", None, "title: [", SpecError, "YAML"),
        ("garden.yaml", "openapi: 3.1.0", "openapi: 2.0.0", SpecError, "garden.yaml#/openapi"),
        ("garden.yaml", "operationId: listPlots", "operationId: leasePlot", SpecError, "two operations"),
        ("garden.yaml", "operationId: listPlots", "operationId: 'list plots'", SpecError, "operationId"),
        ("garden.yaml", "gardenKey: []", "gardnKey: []", SpecError, "no security scheme"),
        (
            "garden.yaml",
            "in: header, name: X-Garden-Key",
            "in: cookie, name: X",
            SpecError,
            "securitySchemes",
        ),
        ("garden.yaml", "parameters/PlotId'}]", "parameters/PlotID'}]", SpecError, "leads nowhere"),
        ("garden.yaml", "{type: string, minLength: 2, d", "{type: strin, d", SpecError, "makes no sense"),
        ("garden.yaml", "gardener: {type", "plot_id: {type", SpecError, "is a parameter and in the body"),
        ("garden.yaml", "json:\n", "xml:\n", SpecError, "requestBody"),
        ("garden.yaml", "'201':", "'301':", SpecError, "no answer of success"),
        ("data/garden.yaml", "leases:", "lease:", FormatError, "Did you mean 'leases'"),
        ("rules/garden.yaml", "'${lease}'", "'${leese}'", FormatError, "Did you mean 'lease'"),
        ("rules/garden.yaml", None, None, ConfigError, "nothing says what the operations do"),
        ("garden.yaml", None, None, ConfigError, "0 OpenAPI documents"),
    ],
)
def test_what_is_wrong_with_a_folder_is_said(garden, file, old, new, error, message):
    path = garden / file
    if new is None:
        path.unlink()
    elif old is None:
        path.write_text(new)
    else:
        assert old in path.read_text()
        path.write_text(path.read_text().replace(old, new, 1))
    with pytest.raises(error) as caught:
        World(folder=garden)
    assert message in str(caught.value)
    assert str(garden) in caught.value.where
    (finding, *_) = lint_world(garden)
    assert finding.code in ("world", "service")


def test_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(ConfigError, match="no such folder"):
        World(folder=tmp_path / "nothing")
    (finding,) = lint_world(tmp_path / "nothing")
    assert finding.code == "world"


def test_a_file_that_changed_is_read_again(garden):
    before = load_service("garden", garden)
    data = garden / "data" / "garden.yaml"
    data.write_text(data.read_text().replace("metres: 40", "metres: 41000"))
    after = load_service("garden", garden)
    assert before.data["plots"][0]["metres"] == 40
    assert after.data["plots"][0]["metres"] == 41000


def test_a_bundled_service_wants_its_own_data(garden):
    from toolhaft.world.documents import document_path

    (garden / "shop.yaml").write_text(document_path("shop").read_text())
    with pytest.raises(ToolhaftError, match="not the data of the bundled service shop"):
        World(folder=garden)
    (garden / "shop.yaml").write_text((garden / "garden.yaml").read_text())
    with pytest.raises(ConfigError, match="does not describe"):
        World(folder=garden)


def test_a_file_that_is_too_large_is_not_read(garden, monkeypatch):
    from toolhaft.world import documents

    monkeypatch.setattr(documents, "_MOST_BYTES", 100)
    with pytest.raises(ConfigError, match="larger than 100 bytes"):
        World(folder=garden)

"""The world's documents as tools, through the importer and the guarded client."""

import pytest

from toolhaft.errors import EgressError, StatusError, UsageError
from toolhaft.evaluators.state_check import check
from toolhaft.secrets import SecretStore
from toolhaft.world.loading import load_service
from toolhaft.world.server import World
from toolhaft.world.source import WorldSource
from toolhaft.world.tasks import KINDS, kind_of, load_tasks, reference_solution

pytestmark = pytest.mark.slow


@pytest.mark.anyio
async def test_every_operation_becomes_a_tool(world):
    catalog = await world.catalog()
    total = sum(len(load_service(name).contracts) for name in world.services)
    assert len(catalog) == total
    assert str(catalog.report) == f"{total} imported, 0 degraded, 0 skipped"
    assert [part.name for part in catalog.parts][:2] == ["Skywatch Weather", "Farway Travel"]
    for spec in catalog.specs():
        assert spec.hosts == (world.base_url,)
        assert spec.returns or spec.effect != "read"
    await catalog.close()


@pytest.mark.anyio
@pytest.mark.parametrize("kind", KINDS)
async def test_reference_solutions_pass_through_the_tools(world, kind):
    tasks = [task for task in load_tasks() if kind_of(task) == kind and not task.metadata.get("faults")]
    for task in tasks[:3]:
        run = f"tools-{task.id}"
        await world.prepare(run, task)
        catalog = await world.catalog(run)

        async def call(name, arguments, catalog=catalog):
            return await catalog.call(name, **arguments)

        answer = await reference_solution(task).run(call)
        status = "asked" if task.gold.asks else "answered"
        score = check(task, answer, await world.state(run), status=status)
        assert score.value == 1.0, (task.id, score.reason)
        await catalog.close()
        await world.reset(run)


@pytest.mark.anyio
async def test_a_further_catalog_of_a_world_costs_next_to_nothing(world):
    import time

    first = await world.catalog("first")
    took = []
    for number in range(5):
        began = time.perf_counter()
        catalog = await world.catalog(f"run-{number}")
        took.append(time.perf_counter() - began)
        spec, other = catalog.spec("getToday"), first.spec("getToday")
        assert (spec.hosts, spec.parameters) == (other.hosts, other.parameters)
        assert catalog["getToday"].wire.server.endswith(f"/runs/run-{number}/calendar")
        assert first["getToday"].wire.server.endswith("/runs/first/calendar")
        await catalog.close()
    await first.close()
    assert min(took) < 0.02  # measured: 0.0015


@pytest.mark.anyio
async def test_catalogs_of_runs_do_not_close_each_other(world):
    one, other = await world.catalog("one"), await world.catalog("other")
    await one.call("createTodo", title="Sweep")
    await one.close()
    assert len((await other.call("listTodos"))["todos"]) < len(
        (await world.state("one"))["calendar"]["todos"]
    )
    await other.close()


@pytest.mark.anyio
async def test_the_catalog_speaks_to_its_own_world_alone(world):
    async with World(services=["weather"]) as other:
        source = WorldSource(services=["weather"], auth={}, secrets=SecretStore({}))
        catalog = await source.load(other.base_url)
        assert (await catalog.call("listWeatherAlerts", country="FR")) == {"alerts": []}
        await catalog.close()
    from toolhaft.openapi.source import OpenAPISource
    from toolhaft.world.documents import document_path

    closed = OpenAPISource(server=world.service_url("weather"), allow_hosts=("127.0.0.1:1",))
    catalog = await closed.load(document_path("weather"))
    with pytest.raises(EgressError):
        await catalog.call("listWeatherAlerts", country="FR")
    await catalog.close()


@pytest.mark.anyio
async def test_a_running_world_takes_its_credentials_from_the_environment(world, monkeypatch):
    for name, value in world.secrets.items():
        monkeypatch.setenv(name, value)
    catalog = await WorldSource().load(f"{world.base_url}/runs/from-env")
    await catalog.call("createTodo", title="Sweep")
    assert await catalog.call("getCart")
    assert await catalog.call("listBookings")
    assert len((await world.state("from-env"))["writes"]) == 1
    await catalog.close()
    await world.reset("from-env")


@pytest.mark.anyio
async def test_wrong_credentials_are_refused(world):
    secrets = SecretStore({name: "not-the-key" for name in world.secrets})
    catalog = await WorldSource(auth=world.auth, secrets=secrets).load(world.base_url)
    with pytest.raises(StatusError, match="401"):
        await catalog.call("getCart")
    await catalog.close()


@pytest.mark.anyio
async def test_an_empty_location_starts_a_world_that_ends_with_its_catalog():
    import httpx

    catalog = await WorldSource(seed=5, services=["shop"]).load("")
    (host,) = catalog.spec("getCart").hosts
    assert (await catalog.call("getCart"))["items"] == []
    await catalog.close()
    with pytest.raises(httpx.ConnectError):
        httpx.get(host)


@pytest.mark.anyio
@pytest.mark.parametrize(
    "location", ["https://127.0.0.1:1", "http://example.org", "shop", "http://127.0.0.1:1/x", 3]
)
async def test_other_locations_are_refused(location):
    with pytest.raises(UsageError, match="no address of a demo world"):
        await WorldSource().load(location)

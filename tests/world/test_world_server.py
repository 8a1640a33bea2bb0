"""Credentials, runs of their own, determinism, limits, and the server's beginning and end."""

import asyncio
import base64
import json
import socket
import sys
import threading

import httpx
import pytest

from toolhaft.errors import ConfigError, UnknownNameError, UsageError
from toolhaft.openapi.documents.load import read_value
from toolhaft.world import store
from toolhaft.world.problem import RequestProblem
from toolhaft.world.server import World, secret_name

SECURED = [("travel", "/bookings"), ("shop", "/cart"), ("calendar", "/today")]


@pytest.mark.parametrize(("service", "path"), SECURED)
@pytest.mark.parametrize("wrong", ["", "wrong", "é"])
def test_a_missing_or_wrong_credential_is_refused(world, caller, service, path, wrong):
    sent = wrong.encode()
    extra = {
        "travel": {"params": {"key": wrong} if wrong else {}},
        "shop": {"headers": {"X-Shop-Key": sent} if wrong else {}},
        "calendar": {"headers": {"Authorization": b"Bearer " + sent} if wrong else {}},
    }[service]
    answer = caller.client.get(world.service_url(service) + path, **extra)
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == 401
    assert ("www-authenticate" in answer.headers) == (service == "calendar")


def test_a_token_is_no_basic_password(world, caller):
    token = world.secrets["TOOLHAFT_WORLD_CALENDAR_TOKEN"]
    sent = base64.b64encode(f":{token}".encode()).decode()
    answer = caller.client.get(
        world.service_url("calendar") + "/today", headers={"Authorization": f"Basic {sent}"}
    )
    assert answer.status_code == 401


def test_credentials_are_made_anew_and_stand_in_no_document(world, caller):
    other = World()
    assert set(other.secrets) == set(world.secrets)
    assert not set(other.secrets.values()) & set(world.secrets.values())
    for service in world.services:
        text = caller.client.get(f"{world.base_url}/{service}/openapi.json").text
        assert not any(value in text for value in world.secrets.values())


def test_secret_name():
    assert secret_name("calendarToken") == "TOOLHAFT_WORLD_CALENDAR_TOKEN"


def test_runs_have_states_of_their_own(world, caller, run):
    other = run + "-other"
    caller.call(run, "addCartItem", {"product_id": "prd-101"})
    assert len(caller.call(run, "getCart")["items"]) == 1
    assert caller.call(other, "getCart")["items"] == []
    world.store.reset(run)
    assert caller.call(run, "getCart")["items"] == []


def test_state_and_reset_over_http(world, caller, run):
    caller.call(run, "createTodo", {"title": "Sweep"})
    url = f"{world.base_url}/runs/{run}"
    state = caller.client.get(f"{url}/state").json()
    assert state == world.store.state(run)
    assert state["writes"] == [
        {
            "service": "calendar",
            "operation": "createTodo",
            "arguments": {"priority": "normal", "title": "Sweep"},
        }
    ]
    assert caller.client.post(f"{url}/reset").status_code == 204
    assert world.store.state(run)["writes"] == []


def test_a_state_that_is_read_is_a_copy(world, run):
    world.store.state(run)["shop"]["orders"].clear()
    assert world.store.state(run)["shop"]["orders"]


@pytest.mark.parametrize("name", ["a b", "x" * 81, "a%2Fb", "%0a"])
def test_odd_run_names_are_refused(world, caller, name):
    assert caller.client.get(f"{world.base_url}/runs/{name}/state").status_code == 404


def test_the_same_seed_gives_the_same_world_and_another_does_not():
    states = [World(seed=seed).store.state("a") for seed in (0, 0, 1)]
    assert states[0] == states[1]
    assert states[0]["shop"]["products"] != states[2]["shop"]["products"]
    assert states[0]["travel"]["bookings"] != states[2]["travel"]["bookings"]
    assert states[0]["today"] == states[2]["today"] == "2026-06-01"


def test_the_same_calls_leave_the_same_state(world, caller, run):
    states = []
    for name in (run, run + "-again"):
        for title in ("One", "Two"):
            caller.call(name, "createTodo", {"title": title})
        caller.call(name, "bookFlight", {"flight_id": "MR1120-20260619", "passengers": [{"name": "Bo Ek"}]})
        states.append(world.store.state(name))
    assert states[0] == states[1]


def test_an_idempotency_key_is_not_carried_out_twice(world, caller, run):
    wanted = {
        "hotel_id": "htl-rue-claire",
        "check_in": "2026-07-01",
        "check_out": "2026-07-03",
        "lead_guest": "Bo Ek",
    }
    first = caller.call(run, "bookHotel", {**wanted, "Idempotency-Key": "k1"})
    assert caller.call(run, "bookHotel", {**wanted, "Idempotency-Key": "k1"}) == first
    assert caller.call(run, "bookHotel", {**wanted, "Idempotency-Key": "k2"}) != first
    assert len(world.store.state(run)["travel"]["bookings"]) == 6


def test_an_order_takes_from_the_stock_and_cancelling_gives_back(world, caller, run):
    stock = caller.call(run, "getProduct", {"product_id": "prd-140"})["stock"]
    caller.call(run, "addCartItem", {"product_id": "prd-140", "quantity": 2})
    address = {
        "name": "Bo Ek",
        "street": "Storgata 1",
        "city": "Oslo",
        "postal_code": "0155",
        "country": "NO",
    }
    order = caller.call(run, "placeOrder", {"shipping_address": address})
    assert caller.call(run, "getProduct", {"product_id": "prd-140"})["stock"] == stock - 2
    caller.call(run, "cancelOrder", {"order_id": order["order_id"]})
    assert caller.call(run, "getProduct", {"product_id": "prd-140"})["stock"] == stock


def test_what_was_sent_back_cannot_be_sent_back_again(caller, run):
    wanted = {"order_id": "ORD-1005", "items": [{"product_id": "prd-142", "reason": "damaged"}]}
    caller.call(run, "requestReturn", wanted)
    assert caller.send(run, "requestReturn", wanted).status_code == 422


def test_pages_hold_every_product_once(caller, run):
    pages = [caller.call(run, "searchProducts", {"page": page, "page_size": 10}) for page in (1, 2, 3, 4, 5)]
    names = [product["product_id"] for page in pages for product in page["products"]]
    assert len(names) == len(set(names)) == pages[0]["total"]
    assert pages[4]["products"] == []


def test_a_flight_that_was_found_can_be_asked_for(caller, run):
    wanted = {"origin": "NBO", "destination": "KEF", "date": "2026-07-09", "cabin": "business"}
    for flight in caller.call(run, "searchFlights", wanted)["flights"]:
        asked = {"flight_id": flight["flight_id"], "cabin": "business"}
        assert caller.call(run, "getFlight", asked) == flight


def test_many_threads_lose_no_write(world, caller, run):
    def add():
        for _ in range(5):
            caller.call(run, "addCartItem", {"product_id": "prd-143"})

    threads = [threading.Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert world.store.state(run)["shop"]["cart"]["lines"] == {"prd-143": 20}


@pytest.mark.parametrize(
    ("method", "path", "content", "media_type", "status"),
    [
        ("POST", "/cart/items", b"{", "application/json", 400),
        ("POST", "/cart/items", b"[1]", "application/json", 422),
        ("POST", "/cart/items", b"", "application/json", 422),
        ("POST", "/cart/items", b"{}", "text/plain", 415),
        ("POST", "/cart/items", b"[" * 100_000, "application/json", 400),
        ("POST", "/cart/items", b" " * 300_000, "application/json", 413),
        ("POST", "/cart/coupon", b"code=%FF", "application/x-www-form-urlencoded", 422),
        ("POST", "/cart/coupon", b"code=\xff", "application/x-www-form-urlencoded", 400),
        ("POST", "/cart/coupon", b"&".join([b"a=1"] * 200), "application/x-www-form-urlencoded", 400),
        ("DELETE", "/cart", b"", "application/json", 405),
        ("GET", "/nothing", b"", "application/json", 404),
        ("GET", "/products?page=1&page=2", b"", "application/json", 422),
        ("GET", "/products?pages=1", b"", "application/json", 422),
        ("GET", "/products?page=99999999999999999999999", b"", "application/json", 422),
        ("GET", "/products?max_price=nan", b"", "application/json", 422),
        ("GET", "/products?max_price=1e999", b"", "application/json", 422),
    ],
)
def test_bad_requests_get_a_problem_and_no_traceback(
    world, caller, run, method, path, content, media_type, status
):
    headers = {**caller.headers("shop"), "Content-Type": media_type}
    url = world.service_url("shop", run) + path
    answer = caller.client.request(method, url, content=content, headers=headers)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == status


def test_other_host_names_are_refused(world, caller):
    answer = caller.client.get(f"{world.base_url}/shop/openapi.json", headers={"Host": "shop.example"})
    assert answer.status_code == 400


@pytest.mark.parametrize("root", ["", "/runs/r-1"])
def test_documents_are_served_with_the_run_s_address(world, caller, root):
    answer = caller.client.get(f"{world.base_url}{root}/travel/openapi.json")
    run = root.rpartition("/")[2] or "default"
    assert answer.json()["servers"] == [{"url": world.service_url("travel", run)}]
    text = caller.client.get(f"{world.base_url}{root}/travel/openapi.yaml").text
    from toolhaft.openapi.documents.load import read_bytes

    assert read_bytes(text.encode(), "travel").root == read_value(answer.json()).root


def test_too_many_runs_are_refused_until_one_is_reset(monkeypatch):
    monkeypatch.setattr(store, "MOST_RUNS", 2)
    world = World()
    for name in ("a", "b", "a"):
        world.store.state(name)
    with pytest.raises(RequestProblem, match="too many runs"):
        world.store.state("c")
    world.store.reset("a")
    assert world.store.state("c")["writes"] == []


def test_a_world_of_some_services():
    world = World(services=["shop"])
    assert set(world.secrets) == {"TOOLHAFT_WORLD_SHOP_KEY"}
    assert set(world.store.state("a")) == {"today", "shop", "writes"}
    with pytest.raises(UnknownNameError, match="calender"):
        World(services=["calender"])


@pytest.mark.anyio
async def test_a_world_answers_while_the_loop_is_busy_and_ends():
    before = threading.active_count()
    async with World() as world:
        # The caller's loop is held up here; the server has one of its own.
        answer = httpx.get(f"{world.service_url('weather')}/alerts", params={"country": "FR"})
        assert answer.json() == {"alerts": []}
        assert (await world.state("x"))["today"] == "2026-06-01"
    with pytest.raises(httpx.ConnectError):
        httpx.get(world.base_url)
    await asyncio.sleep(0)
    assert threading.active_count() <= before + 1  # a worker of asyncio.to_thread may stay
    assert (await world.state("x"))["writes"] == []


def test_a_world_can_start_again():
    world = World()
    for _ in range(2):
        world.start()
        world.start()
        assert httpx.get(f"{world.base_url}/shop/openapi.json").status_code == 200
        world.stop()
        world.stop()


def test_a_port_that_is_taken():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(ConfigError, match="cannot be used"):
            World(port=taken.getsockname()[1]).start()


@pytest.mark.parametrize("missing", ["uvicorn", "starlette"])
def test_without_the_extra_the_error_says_what_to_install(monkeypatch, missing):
    for name in [name for name in sys.modules if name.partition(".")[0] == missing]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(ConfigError, match=r"pip install 'toolhaft\[demo\]'"):
        World().start()


def test_importing_the_world_imports_no_server():
    import subprocess

    code = (
        "import sys, toolhaft.world.server, toolhaft.world.tasks, toolhaft.evaluators.state_check\n"
        "import toolhaft.world.source\n"
        "print([n for n in ('starlette', 'uvicorn', 'httpx', 'yaml', 'jsonschema_rs') if n in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert json.loads(done.stdout.replace("'", '"')) == []


@pytest.mark.anyio
async def test_runs_and_worlds_that_are_not_there():
    world = World()
    for name in ("a b", ""):
        with pytest.raises(UsageError, match="no run"):
            await world.state(name)
    with pytest.raises(UsageError, match="Start it first"):
        await world.catalog()

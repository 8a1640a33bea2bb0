"""Tokens: got, kept, renewed and shared, against a real authorisation server."""

import asyncio
import threading
import time

import pytest

from toolhaft.auth.schemes import Flow, SchemeUse
from toolhaft.auth.session import Auth
from toolhaft.errors import AuthError, ConfigError
from toolhaft.http import Request, origin_of
from toolhaft.secrets import SecretStore

pytestmark = [pytest.mark.anyio, pytest.mark.slow]
MEMORY = {
    "secret": "app-secret-1",
    "other": "other-secret-2",
    "password": "ann-password-1",
    "wrong": "wrong-value-9",
}
CLIENT = {"o.client_id": "app", "o.client_secret": "memory:secret"}
PASSWORD = {**CLIENT, "o.username": "ann", "o.password": "memory:password"}


def use_of(issuer, *grants, scopes=(), path="/token"):
    flows = tuple(Flow(grant=grant, token_url=f"{issuer.url}{path}") for grant in grants)
    return SchemeUse(scheme="o", kind="oauth2", flows=flows, scopes=scopes)


class Caller:
    """One user of an API: ``auth`` entries, one secret store, one client."""

    def __init__(self, api, issuer, connect, entries, *, secrets=None, **options):
        self.secrets = secrets or SecretStore(MEMORY)
        make = connect(self.secrets)
        options.setdefault("auth_hosts", [issuer.url])
        self.auth = Auth(entries, secrets=self.secrets, connect=make, **options)
        self.client = make()
        self.api = api
        self.origins = (origin_of(api.url),)

    async def send(self, use, path="/secret", effect="read", method="GET"):
        choice = self.auth.choose(((use,),), self.origins)
        request = Request(
            method=method, url=f"{self.api.url}{path}", effect=effect, credentials=choice.credentials
        )
        return await self.auth.sender(self.client, choice).send(request)


@pytest.fixture
def caller(api, issuer, connect):
    return lambda entries, **options: Caller(api, issuer, connect, entries, **options)


async def test_client_credentials_are_asked_for_once_and_used_again(caller, issuer, api):
    ann, use = caller(CLIENT), use_of(issuer, "clientCredentials", scopes=("read",))
    assert [(await ann.send(use)).status for _ in range(3)] == [200, 200, 200]
    assert [form["grant_type"] for form in issuer.asked] == ["client_credentials"]
    assert issuer.asked[0]["scope"] == "read"
    assert "client_secret" not in issuer.asked[0]
    assert issuer.asked[0]["authorization"].startswith("Basic ")


async def test_a_server_that_takes_the_secret_in_the_form_alone_gets_it_there(caller, issuer):
    issuer.form_only = True
    ann, use = caller(CLIENT), use_of(issuer, "clientCredentials")
    assert (await ann.send(use)).status == 200
    assert [form.get("client_secret") for form in issuer.asked] == [None, "app-secret-1"]


async def test_the_password_grant_uses_its_refresh_token_and_falls_back(caller, issuer):
    issuer.life = 0.5
    ann, use = caller(PASSWORD), use_of(issuer, "password")
    assert (await ann.send(use)).status == 200
    await asyncio.sleep(0.5)
    assert (await ann.send(use)).status == 200
    issuer.refreshes.clear()
    await asyncio.sleep(0.5)
    assert (await ann.send(use)).status == 200
    assert [form["grant_type"] for form in issuer.asked] == [
        "password",
        "refresh_token",
        "refresh_token",
        "password",
    ]


async def test_a_refresh_token_alone_will_do_and_a_rotating_one_is_used_once(caller, issuer):
    issuer.rotates = True
    issuer.refreshes["canary-refresh-first"] = ["read", 1]
    ann = caller({"o.client_id": "public", "o.refresh_token": "memory:first"})
    ann.secrets._memory["first"] = "canary-refresh-first"
    use = use_of(issuer, "authorizationCode")
    for _ in range(3):
        assert (await ann.send(use)).status == 200
        issuer.live.clear()
    assert not issuer.reused
    assert len({form["refresh_token"] for form in issuer.asked}) == len(issuer.asked) == 3


async def test_tokens_are_renewed_before_they_end(caller, issuer):
    issuer.life = 2
    ann, use = caller(CLIENT), use_of(issuer, "clientCredentials")
    await ann.send(use)
    await asyncio.sleep(1.85)  # 90 % of its life: still good, but not for long
    assert (await ann.send(use)).status == 200
    assert len(issuer.asked) == 2


async def test_a_refusal_is_met_with_one_new_token(caller, issuer, api):
    ann, use = caller(CLIENT), use_of(issuer, "clientCredentials")
    assert (await ann.send(use)).status == 200
    issuer.live.clear()
    response = await ann.send(use, effect="write", method="POST")
    assert response.status == 200
    assert [exchange.status for exchange in response.exchanges] == [401, 200]
    api.refuse_always = True
    assert (await ann.send(use)).status == 401
    assert len(issuer.asked) == 3
    assert len(api.seen) == 5


async def test_a_write_that_was_redirected_is_not_sent_again(caller, issuer, api):
    ann, use = caller(CLIENT), use_of(issuer, "clientCredentials")
    api.refuse_always = True
    response = await ann.send(use, path="/moved", effect="write", method="POST")
    assert response.status == 401
    assert [method for method, _, _ in api.seen] == ["POST", "GET"]
    api.seen.clear()
    assert (await ann.send(use, path="/moved")).status == 401
    assert len(api.seen) == 4


async def test_a_hundred_calls_ask_for_one_token_and_renew_it_once(caller, issuer):
    issuer.delay = 0.05
    ann, use = caller(CLIENT), use_of(issuer, "clientCredentials")
    first = await asyncio.gather(*(ann.send(use) for _ in range(100)))
    assert {response.status for response in first} == {200}
    assert len(issuer.asked) == 1
    issuer.live.clear()
    again = await asyncio.gather(*(ann.send(use) for _ in range(100)))
    assert {response.status for response in again} == {200}
    assert len(issuer.asked) == 2


async def test_loops_in_several_threads_share_one_refresh(caller, issuer):
    issuer.delay, issuer.rotates = 0.1, True
    ann, use = caller(PASSWORD), use_of(issuer, "password")
    statuses = []

    def work():
        async def calls():
            return [response.status for response in await asyncio.gather(*(ann.send(use) for _ in range(5)))]

        statuses.extend(asyncio.run(calls()))

    for expected in (1, 2):
        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            await asyncio.sleep(0.01)
        assert len(issuer.asked) == expected
        issuer.live.clear()
    assert statuses == [200] * 40
    assert not issuer.reused


async def test_a_cancelled_call_does_not_take_the_token_with_it(caller, issuer):
    issuer.delay = 0.1
    ann, use = caller(CLIENT), use_of(issuer, "clientCredentials")
    first = asyncio.create_task(ann.send(use))
    await asyncio.sleep(0.03)
    rest = [asyncio.create_task(ann.send(use)) for _ in range(3)]
    await asyncio.sleep(0.01)
    first.cancel()
    done = await asyncio.gather(first, *rest, return_exceptions=True)
    assert isinstance(done[0], asyncio.CancelledError)
    assert [response.status for response in done[1:]] == [200, 200, 200]
    assert len(issuer.asked) == 1


async def test_a_loop_that_ends_leaves_the_others_to_ask_themselves(caller, issuer):
    issuer.delay = 0.2
    ann, use = caller(CLIENT), use_of(issuer, "clientCredentials")

    def give_up():
        async def start():
            call = asyncio.create_task(ann.send(use))
            await asyncio.sleep(0.05)
            call.cancel()

        asyncio.run(start())

    thread = threading.Thread(target=give_up)
    thread.start()
    await asyncio.sleep(0.03)
    assert (await ann.send(use)).status == 200
    thread.join()
    assert len(issuer.asked) == 2


async def test_waiting_calls_share_a_failure(caller, issuer):
    issuer.delay = 0.05
    ann = caller({"o.client_id": "app", "o.client_secret": "memory:wrong"})
    use = use_of(issuer, "clientCredentials")
    done = await asyncio.gather(*(ann.send(use) for _ in range(20)), return_exceptions=True)
    assert all(isinstance(error, AuthError) for error in done)
    assert "invalid_client" in str(done[-1])
    assert len(issuer.asked) == 2  # in the header, then in the form


async def test_a_token_that_is_good_for_more_serves_for_less(caller, issuer):
    ann = caller(CLIENT)
    for scopes in (("read", "write"), ("write",), ("admin",), ("read",), ()):
        assert (await ann.send(use_of(issuer, "clientCredentials", scopes=scopes))).status == 200
    assert [form.get("scope", "") for form in issuer.asked] == ["read write", "admin"]


async def test_two_tenants_never_share_a_token(caller, issuer, api):
    use, secrets = use_of(issuer, "clientCredentials"), SecretStore(MEMORY)
    tenants = [
        caller({"o.client_id": name, "o.client_secret": f"memory:{secret}"}, secrets=secrets)
        for name, secret in (("app", "secret"), ("other", "other"))
    ]
    for _ in range(2):
        for tenant in tenants:
            await tenant.send(use)
    tokens = [headers["authorization"] for _, _, headers in api.seen]
    assert tokens[0::2] == [tokens[0]] * 2
    assert tokens[1::2] == [tokens[1]] * 2
    assert tokens[0] != tokens[1]


async def test_two_sessions_with_one_secret_store_have_slots_of_their_own(issuer, api, connect):
    secrets = SecretStore(MEMORY)
    make = connect(secrets)
    use, origins = use_of(issuer, "clientCredentials"), (origin_of(api.url),)
    choices = []
    for _ in range(2):
        auth = Auth(CLIENT, secrets=secrets, connect=make, auth_hosts=[issuer.url])
        choices.append(auth.choose(((use,),), origins))
    assert choices[0].credentials != choices[1].credentials
    again = choices[0].slots[0].reference
    assert choices[0].credentials[0].secret == again


async def test_a_server_that_is_away_leaves_a_good_token_in_use(caller, issuer):
    from starlette.responses import PlainTextResponse

    issuer.life = 1.2
    ann, use = caller(CLIENT), use_of(issuer, "clientCredentials")
    await ann.send(use)
    issuer.twist = lambda form: PlainTextResponse("away", 503)
    await asyncio.sleep(1.1)
    assert (await ann.send(use)).status == 200
    await asyncio.sleep(0.2)
    with pytest.raises(AuthError, match="503"):
        await ann.send(use)


async def test_a_provider_gives_tokens_and_new_ones_after_a_refusal(caller, issuer):
    made = []

    async def provider(scopes):
        made.append(scopes)
        token = f"provided-token-{len(made)}"
        issuer.live[token] = []
        return token, 3600

    ann, use = caller({"o": provider}), use_of(issuer, "authorizationCode", scopes=("read",))
    assert [(await ann.send(use)).status for _ in range(2)] == [200, 200]
    issuer.live.clear()
    assert (await ann.send(use)).status == 200
    assert len(made) == 2
    assert issuer.asked == []
    assert "provided-token-2" not in ann.secrets.redact("it was provided-token-2")


async def test_a_provider_that_returns_nonsense_is_named(caller, issuer):
    ann = caller({"o": lambda scopes: None})
    with pytest.raises(ConfigError, match="provider of 'o'"):
        await ann.send(use_of(issuer, "password"))


async def test_old_tokens_leave_the_filter_only_long_after_their_end():
    secrets = SecretStore()
    slot = secrets.new_slot("t")
    started = time.perf_counter()
    for number in range(300):
        secrets.keep(slot, f"token-value-{number:05d}")
    assert time.perf_counter() - started < 20
    shown = secrets.redact(" ".join(f"token-value-{number:05d}" for number in range(300)))
    assert shown.count("token-value") == 300 - 64
    assert secrets.new_slot("t") != slot

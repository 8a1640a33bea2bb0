"""``toolhaft auth``: what it shows, that it shows no secret, logging in and forgetting."""

import json
import threading
import urllib.request

import pytest

pytestmark = pytest.mark.slow
SECURITY = {
    "/open": [],
    "/secret": [{"shop": ["read"]}],
    "/secret/person": [{"person": []}, {"key": []}],
    "/secret/both": [{"shop": ["write"], "key": []}],
    "/open/optional": [{"shop": []}, {}],
    "/digest": [{"digest": []}],
}
HERE = ("--allow-host", "127.0.0.1")
CLIENT = ("--auth", "shop.client_id=app", "--auth", "shop.client_secret=env:SHOP_SECRET")


@pytest.fixture
def shop(document, tmp_path, monkeypatch):
    monkeypatch.setenv("SHOP_SECRET", "app-secret-1")
    monkeypatch.setenv("WRONG", "wrong-value-9")
    path = tmp_path / "shop.json"
    path.write_text(json.dumps(document(SECURITY)))
    return path


def test_check_without_anything_says_what_each_scheme_needs(toolhaft, shop):
    code, out, _ = toolhaft("auth", "check", shop, *HERE)
    assert code == 3
    assert "--auth shop.client_id=... --auth shop.client_secret=env:NAME or --auth shop=env:NAME" in out
    assert "toolhaft auth login CATALOG person --auth person.client_id=..., then" in out
    assert "a function, from Python" not in out  # no operation asks for that scheme
    assert "6 operations: 1 ask for nothing, 1 can be called with what is given, 4 cannot" in out
    assert "Locked: secret, secret_person, secret_both, digest" in out


def test_check_tells_what_is_unlocked_and_shows_no_value(toolhaft, shop):
    code, out, err = toolhaft("auth", "check", shop, *HERE, *CLIENT, "--json")
    found = json.loads(out)
    by_name = {scheme["scheme"]: scheme for scheme in found["schemes"]}
    assert code == 3
    assert by_name["shop"]["satisfied"]
    assert by_name["shop"]["given"] == [
        {"name": "shop.client_id", "found": True},
        {"name": "shop.client_secret", "found": True},
    ]
    assert by_name["shop"]["scopes"] == ["read", "write"]
    assert found["operations"]["locked"] == ["secret_person", "secret_both", "digest"]
    assert "app-secret-1" not in out + err


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--auth", "shop.client_id=app", "--auth", "shop.client_secret=env:NOT_SET"), "env:NOT_SET"),
        (("--auth", "shop=login"), "nobody has logged in"),
        (("--auth", "shop.client_id=app"), "shop.client_secret"),
        (("--auth", "person.client_id=app"), "toolhaft auth login CATALOG person"),
    ],
)
def test_check_names_what_is_wrong(toolhaft, shop, words, says):
    code, out, _ = toolhaft("auth", "check", shop, *HERE, *words)
    assert code == 3
    assert says in out


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("--auth", "shp=env:K"), 2, "'shop'"),
        (("--auth", "shop.client=env:K"), 2, "client_id"),
        (("--auth", "shop=app-secret-1"), 2, "by reference"),
        (("--auth", "shop"), 2, "key=value"),
    ],
)
def test_wrong_usage(toolhaft, shop, words, code, says):
    found, out, err = toolhaft("auth", "check", shop, *HERE, *words)
    assert found == code
    assert says in err
    assert "app-secret-1" not in out + err


def test_a_token_server_elsewhere_is_refused_at_once(toolhaft, document, tmp_path, issuer):
    path = tmp_path / "shop.json"
    path.write_text(json.dumps(document({"/open": [{"shop": []}]})))
    code, _, err = toolhaft("auth", "check", path, "--allow-host", "10.9.8.7", *CLIENT)
    assert code == 2
    assert issuer.url in err
    assert "allow-host" in err


def test_live_asks_for_a_token_and_calls_one_operation(toolhaft, shop, issuer, api):
    code, out, _ = toolhaft("auth", "check", shop, *HERE, *CLIENT, "--live")
    assert code == 3
    assert "token for shop: got a token" in out
    assert "GET /secret: 200 with what was given, 401 without" in out
    wrong = ("--auth", "shop.client_id=app", "--auth", "shop.client_secret=env:WRONG")
    code, out, err = toolhaft("auth", "check", shop, *HERE, *wrong, "--live", "--json")
    assert code == 1
    assert json.loads(out)["live"][0]["accepted"] == "no"
    assert "wrong-value-9" not in out + err


def test_login_keeps_a_token_that_calls_use_until_it_is_forgotten(
    toolhaft, shop, issuer, api, monkeypatch, tmp_path
):
    from toolhaft.cli import auth

    threads = []

    def browser(line):
        if not line.startswith("http"):
            assert "Open this address" in line
            return
        threads.append(threading.Thread(target=lambda: urllib.request.urlopen(line, timeout=10).close()))
        threads[-1].start()

    monkeypatch.setattr(auth, "notice", browser)
    words = ("--auth", "person.client_id=public", "--seconds", "10")
    code, out, err = toolhaft("auth", "login", shop, "person", *HERE, *words)
    assert (code, err) == (0, "")
    assert "--auth person=login" in out
    assert "canary" not in out
    code, out, _ = toolhaft("call", shop, "secret_person", *HERE, "--auth", "person=login")
    assert (code, json.loads(out)["ok"]) == (0, True)
    catalog = tmp_path / "shop.catalog"
    assert toolhaft("tools", "import", shop, "-o", catalog, *HERE)[0] in (0, 3)
    code, out, _ = toolhaft("auth", "check", catalog, *HERE, "--auth", "person=login", "--json")
    assert next(s for s in json.loads(out)["schemes"] if s["scheme"] == "person")["satisfied"]
    assert "canary" not in out
    assert b"canary" not in catalog.read_bytes()
    assert "1 removed" in toolhaft("auth", "forget", catalog, "person", *HERE)[1]
    assert "0 removed" in toolhaft("auth", "forget", catalog, *HERE)[1]
    code, _, err = toolhaft("call", catalog, "secret_person", *HERE, "--auth", "person=login")
    assert code == 1
    assert "toolhaft auth login" in err


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("persn", "--auth", "person.client_id=public"), "'person'"),
        (("person",), "needs a client"),
        (("key", "--auth", "key.client_id=public"), "no login"),
        (("person", "--auth", "person.client_id=public", "--device"), "no login by device"),
        (("person", "--auth", "person.client_id=public", "--port", "99999"), "cannot be used"),
    ],
)
def test_logins_that_cannot_be(toolhaft, shop, words, says):
    code, _, err = toolhaft("auth", "login", shop, *words, *HERE)
    assert code == 2
    assert says in err


def test_a_catalog_file_refuses_names_that_it_does_not_know(toolhaft, shop, tmp_path):
    catalog = tmp_path / "shop.catalog"
    assert toolhaft("tools", "import", shop, "-o", catalog, *HERE, *CLIENT)[0] in (0, 3)
    code, _, err = toolhaft("tools", "list", catalog, "--auth", "shp.client_id=app")
    assert code == 2
    assert "'shop'" in err
    assert toolhaft("tools", "list", catalog, *CLIENT)[0] == 0
    code, out, _ = toolhaft("call", catalog, "secret", *HERE, *CLIENT)
    assert (code, json.loads(out)["ok"]) == (0, True)


def test_no_operations_at_all(toolhaft, tmp_path):
    (tmp_path / "own.py").write_text(
        "from toolhaft import tool\n\n@tool\ndef f() -> int:\n    '''F.'''\n    return 1\n"
    )
    code, _, err = toolhaft("auth", "check", tmp_path / "own.py")
    assert code == 2
    assert "takes no setting" in err or "no operations" in err

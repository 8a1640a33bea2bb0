"""Whole runs against an API that repeats what it was sent: no secret and no token is left in any file."""

import json

import pytest

from toolhaft.secrets import SecretStore

pytestmark = pytest.mark.slow
CANARIES = ("app-secret-1", "canary-access", "canary-refresh", "ann-password-1", "digest-password-1")


@pytest.fixture
def shop(document, tmp_path, monkeypatch):
    monkeypatch.setenv("SHOP_SECRET", "app-secret-1")
    monkeypatch.setenv("ANN", "ann-password-1")
    value = document({"/open/orders": [{"shop": ["read"]}]})
    value["paths"]["/open/orders"]["get"]["summary"] = "List all orders of the shop."
    value["components"]["securitySchemes"]["shop"]["flows"]["password"] = {
        "tokenUrl": value["components"]["securitySchemes"]["shop"]["flows"]["clientCredentials"]["tokenUrl"],
        "scopes": {},
    }
    path = tmp_path / "shop.json"
    path.write_text(json.dumps(value))
    return path


def words(*auth):
    return [word for entry in auth for word in ("--auth", entry)] + ["--allow-host", "127.0.0.1"]


PASSWORD = words(
    "shop.client_id=app", "shop.client_secret=env:SHOP_SECRET", "shop.username=ann", "shop.password=env:ANN"
)


def leaks(folder):
    """Return the files of a folder in which a canary stands."""
    found = []
    for path in folder.rglob("*"):
        if path.is_file() and path.name != "tokens.json":
            data = path.read_bytes()
            found += [(path.name, canary) for canary in CANARIES if canary.encode() in data]
    return found


def test_a_run_a_batch_and_a_catalog_file_hold_no_secret(toolhaft, shop, tmp_path, issuer, api):
    issuer.rotates = True
    out = []
    out.append(toolhaft("tools", "import", shop, "-o", tmp_path / "shop.catalog", *PASSWORD))
    out.append(
        toolhaft(
            "run",
            "List all orders of the shop",
            "--tools",
            tmp_path / "shop.catalog",
            "--model",
            "heuristic",
            "-o",
            tmp_path / "run",
            *PASSWORD,
        )
    )
    tasks = tmp_path / "tasks.txt"
    tasks.write_text("List all orders of the shop\nShow the orders\n")
    out.append(
        toolhaft("batch", tasks, "--tools", shop, "--model", "heuristic", "-o", tmp_path / "batch", *PASSWORD)
    )
    out.append(toolhaft("call", shop, "open_orders", *PASSWORD))
    out.append(toolhaft("call", shop, "open_orders", "--curl", *PASSWORD))
    assert [code for code, _, _ in out][-2:] == [0, 0]
    carried = [headers for _, _, headers in api.seen if "canary-access" in headers.get("authorization", "")]
    assert len(carried) >= 3
    assert leaks(tmp_path) == []
    shown = "".join(text for _, stdout, stderr in out for text in (stdout, stderr))
    assert [canary for canary in CANARIES if canary in shown] == []
    assert "Bearer [secret" in shown  # the API repeats it, masked


def test_what_a_filter_knows_of_a_token(issuer):
    secrets = SecretStore()
    token = 'tok"en\\<1>+/='
    secrets.keep(secrets.new_slot("t"), token)
    from urllib.parse import quote

    for form in (token, quote(token), quote(token, safe=""), json.dumps(token)):
        assert token[:6] not in secrets.redact(f"x {form} y"), form

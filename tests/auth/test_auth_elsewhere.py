"""Operations with a server of their own, and what is said of secrets that are not sent there."""

import json

import pytest

from toolhaft import open_catalog
from toolhaft.errors import UnknownNameError, UsageError

DOCUMENT = {
    "openapi": "3.1.0",
    "info": {"title": "Shop", "version": "1"},
    "servers": [{"url": "https://api.shop.example"}],
    "components": {"securitySchemes": {"key": {"type": "apiKey", "in": "header", "name": "X-Key"}}},
    "security": [{"key": []}],
    "paths": {
        "/prices": {
            "get": {
                "operationId": "listPrices",
                "parameters": [{"name": "account", "in": "query", "schema": {"type": "string"}}],
            }
        },
        "/photos": {
            "servers": [{"url": "https://files.shop.example"}],
            "post": {"operationId": "addPhoto"},
        },
    },
}


@pytest.mark.parametrize(("allowed", "told"), [((), True), (("--allow-host", "files.shop.example"), False)])
def test_check_says_where_no_secret_is_sent_and_how_it_would_be(
    toolhaft, tmp_path, monkeypatch, allowed, told
):
    monkeypatch.setenv("SHOP_KEY", "value-1")
    path = tmp_path / "shop.json"
    path.write_text(json.dumps(DOCUMENT))
    code, out, _ = toolhaft("auth", "check", path, "--auth", "key=env:SHOP_KEY", *allowed)
    assert code == (3 if told else 0)
    said = "No secrets are sent to files.shop.example, which is no server of the whole document (addPhoto)"
    assert (said in out) is told
    assert ("--allow-host files.shop.example" in out) is told
    _, out, _ = toolhaft("auth", "check", path, "--auth", "key=env:SHOP_KEY", "--json", *allowed)
    elsewhere = json.loads(out)["operations"]["elsewhere"]
    assert elsewhere == ({"files.shop.example": ["addPhoto"]} if told else {})


def test_an_unknown_scheme_is_answered_with_schemes_and_not_with_every_parameter():
    with pytest.raises(UnknownNameError, match=r"Known: X-Key, key$") as caught:
        open_catalog(DOCUMENT, auth={"nothing": "env:SHOP_KEY"})
    assert "account" not in str(caught.value)
    assert open_catalog(DOCUMENT, auth={"account": "env:SHOP_KEY"}).names == ("listPrices", "addPhoto")


def test_one_overlay_may_stand_alone():
    overlay = {
        "overlay": "1.0.0",
        "info": {"title": "Less", "version": "1"},
        "actions": [{"target": "$.paths['/photos']", "remove": True}],
    }
    assert open_catalog(DOCUMENT, overlays=overlay).names == ("listPrices",)


@pytest.mark.parametrize("settings", [{"pages": "many"}, {"wait": None}, {"pages": True}])
def test_numbers_of_calls_are_numbers(settings):
    with pytest.raises(UsageError, match="no number"):
        open_catalog(DOCUMENT, **settings)

"""``toolhaft tools``: what is imported, shown, compared, approved and judged, for people and for programs."""

import copy
import json

import pytest

DOCUMENT = {
    "openapi": "3.1.0",
    "info": {"title": "Shop", "version": "1"},
    "servers": [{"url": "https://shop.example.com/v1"}],
    "security": [{"key": []}],
    "components": {
        "securitySchemes": {"key": {"type": "apiKey", "in": "header", "name": "X-Key"}},
        "schemas": {
            "Order": {
                "type": "object",
                "required": ["item"],
                "properties": {
                    "item": {"type": "string", "description": "What to buy"},
                    "to": {
                        "type": "object",
                        "required": ["city"],
                        "properties": {"city": {"type": "string"}, "lines": {"type": "array", "items": {}}},
                    },
                },
            }
        },
    },
    "paths": {
        "/orders": {
            "get": {
                "operationId": "listOrders",
                "tags": ["orders"],
                "summary": "List the orders of the shop",
                "parameters": [
                    {
                        "name": "limit",
                        "in": "query",
                        "schema": {"type": "integer", "minimum": 1, "maximum": 50},
                    },
                    {"name": "X-Trace", "in": "header", "schema": {"type": "string"}},
                ],
                "responses": {"200": {"description": "Orders", "content": {"application/json": {}}}},
            },
            "post": {
                "operationId": "addOrder",
                "tags": ["orders"],
                "summary": "Place an order for one item",
                "requestBody": {
                    "required": True,
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Order"}}},
                },
                "callbacks": {"shipped": {"{$request.body#/url}": {"post": {"responses": {}}}}},
                "responses": {"201": {"description": "Placed"}},
            },
        },
        "/items": {"get": {"operationId": "listItems", "tags": ["items"], "summary": "List all items"}},
        "/broken": {"get": 7},
    },
    "webhooks": {"paid": {"post": {"responses": {}}}},
}  # fmt: skip
CLEAN = copy.deepcopy(DOCUMENT)
del CLEAN["paths"]["/broken"]


@pytest.fixture
def shop(tmp_path):
    """Write a document, and return its name."""

    def write(document=CLEAN, name="shop.json"):
        (tmp_path / name).write_text(json.dumps(document))
        return name

    return write


def test_the_report_tells_of_every_operation(shop, toolhaft, tmp_path):
    code, out, _ = toolhaft("tools", "import", shop(DOCUMENT), "-o", "shop.catalog")
    assert code == 3
    assert "Shop: 3 tools" in out
    assert "3 imported, 0 degraded, 1 skipped" in out
    assert "skipped: GET /broken: #/paths/~1broken/get: the operation is not an object" in out
    assert "Webhooks, which the API calls, are no tools: POST paid" in out
    assert "Callbacks, which the API calls, are no tools: POST" in out
    assert "kB a tool, the largest" in out
    assert (tmp_path / "shop.catalog").exists()


def test_strict_writes_nothing_and_lists_what_is_lost(shop, toolhaft, tmp_path):
    code, out, err = toolhaft("tools", "import", shop(DOCUMENT), "-o", "shop.catalog", "--strict")
    assert code == 1
    assert "skipped: GET /broken" in out
    assert "nothing is written" in err
    assert not (tmp_path / "shop.catalog").exists()
    code, out, _ = toolhaft("tools", "import", shop(DOCUMENT), "-o", "shop.catalog", "--strict", "--json")
    assert (code, json.loads(out)["output"]) == (1, None)
    code, _, _ = toolhaft("tools", "import", shop(), "-o", "shop.catalog", "--strict")
    assert code == 0


FILTERS = {
    "tag": (["--tag", "orders"], ["listOrders", "addOrder"]),
    "method": (["--method", "get"], ["listOrders", "listItems"]),
    "path": (["--path", "/ord*"], ["listOrders", "addOrder"]),
    "operation": (["--operation", "list*"], ["listOrders", "listItems"]),
    "both": (["--tag", "orders", "--method", "POST"], ["addOrder"]),
    "either": (["--operation", "addOrder", "--operation", "listItems"], ["addOrder", "listItems"]),
}


@pytest.mark.parametrize("name", FILTERS)
def test_filters_of_import_and_list_choose_the_same_tools(name, shop, toolhaft):
    words, expected = FILTERS[name]
    _, out, err = toolhaft("tools", "list", shop(), *words, "--json")
    assert [tool["name"] for tool in json.loads(out)] == expected, err
    code, out, err = toolhaft("tools", "import", shop(), "-o", "part.catalog", *words)
    assert code == 0, err
    assert "Left out by the filter: " in out
    _, out, _ = toolhaft("tools", "list", "part.catalog", "--json")
    assert [tool["name"] for tool in json.loads(out)] == expected


def test_list_counts_effects(shop, toolhaft):
    _, _, err = toolhaft("tools", "list", shop())
    assert "3 tools: 2 read, 1 write" in err
    _, out, err = toolhaft("tools", "list", shop(), "--effect", "write")
    assert "1 of 3 tools: 1 write" in err
    assert "addOrder" in out
    code, _, err = toolhaft("tools", "list", shop(), "--effect", "wirte")
    assert (code, "'write'" in err) == (2, True)


def test_show_tells_everything_and_its_call_can_be_copied(shop, toolhaft):
    _, out, _ = toolhaft("tools", "show", shop(), "listOrders")
    rows = {line.split()[0]: line for line in out.splitlines() if line.strip()}
    assert "integer, >= 1, <= 50" in rows["limit"]
    assert "query" in rows["limit"]
    assert "header" in rows["X-Trace"]
    assert rows["effect:"].split(None, 1)[1].startswith("read: ")
    assert "GET https://shop.example.com/v1/orders" in rows["request:"]
    assert rows["security:"].endswith("key")
    assert "200 application/json" in rows["answers:"]
    _, out, _ = toolhaft("tools", "show", shop(), "addOrder")
    assert "\n  city" in out
    line = out.splitlines()[-1]
    assert line.startswith("toolhaft call shop.json addOrder item=")
    code, shown, err = toolhaft(*line.split()[1:], "--dry-run")
    assert code == 0, err
    assert shown.startswith("POST https://shop.example.com/v1/orders")
    _, out, _ = toolhaft("tools", "show", shop(), "addOrder", "--json")
    assert json.loads(out)["places"]["item"] == "body"


def test_show_prints_what_a_provider_gets(shop, toolhaft):
    _, out, _ = toolhaft("tools", "show", shop(), "addOrder", "--profile", "openai-strict")
    made = json.loads(out)
    assert sorted(made["required"]) == sorted(made["properties"])
    assert made["additionalProperties"] is False
    code, out, _ = toolhaft("tools", "import", shop(), "--profile", "anthropic")
    assert code == 0
    assert "Size for anthropic: " in out
    code, _, err = toolhaft("tools", "show", shop(), "addOrder", "--profile", "antropic")
    assert code == 2
    assert "'anthropic'" in err


def edited():
    document = copy.deepcopy(CLEAN)
    get = document["paths"]["/orders"]["get"]
    get["parameters"][0]["schema"]["maximum"] = 20
    get["summary"] = "List some orders of the shop"
    del document["paths"]["/items"]
    return document


def test_diff_tells_kinds_and_pointers_and_fails_on_request(shop, toolhaft):
    old = shop()
    toolhaft("tools", "import", old, "-o", "old.catalog")
    new = shop(edited(), "new.json")
    code, out, _ = toolhaft("tools", "diff", old, new)
    assert code == 0
    assert "breaking: listOrders" in out
    assert "/parameters/properties/limit/maximum: maximum was 50, is 20" in out
    assert "textual   /description" in out
    assert "the tool was removed" in out
    assert "2 breaking, 0 additive, 0 textual, 1 unchanged" in out
    assert toolhaft("tools", "diff", "old.catalog", new, "--fail-on", "breaking")[0] == 1
    assert toolhaft("tools", "diff", old, new, "--fail-on", "additive")[0] == 0
    assert toolhaft("tools", "diff", old, "old.catalog", "--fail-on", "textual")[0] == 0
    code, _, err = toolhaft("tools", "diff", old, new, "--fail-on", "braking")
    assert code == 2
    assert "'breaking'" in err
    _, out, _ = toolhaft("tools", "diff", old, new, "--json")
    assert json.loads(out)["tools"][0]["changes"][0]["kind"] == "breaking"


def test_a_changed_tool_is_refused_until_it_is_approved(shop, toolhaft, tmp_path):
    name = shop()
    code, out, _ = toolhaft("tools", "lock", name)
    assert (code, out) == (0, "3 tools approved in shop.lock.json\n")
    shop(edited())
    code, out, _ = toolhaft("tools", "lock", name)
    assert code == 1
    assert "listOrders: changed since it was approved: description, arguments" in out
    assert "was 'List the orders of the shop', is 'List some orders of the shop'" in out
    assert "listItems: it is gone" in out
    _, out, _ = toolhaft("tools", "list", name)
    assert "listOrders  refused" in out
    _, out, _ = toolhaft("tools", "show", name, "listOrders")
    assert "REFUSED: changed since it was approved" in out
    code, _, err = toolhaft("call", name, "listOrders")
    assert code == 1
    assert "not approved" in err
    code, out, _ = toolhaft("tools", "lock", name, "--approve", "listOrders", "--approve", "listItems")
    assert code == 0
    assert "/description: was" in out, "the change is shown before it is approved"
    _, out, _ = toolhaft("tools", "list", name)
    assert "listOrders  read" in out
    toolhaft("tools", "import", name, "-o", "other.catalog")
    (tmp_path / "shop.lock.json").rename(tmp_path / "kept.json")
    code, _, _ = toolhaft("tools", "list", "other.catalog", "--lock", "kept.json")
    assert code == 0
    code, _, err = toolhaft("tools", "list", "other.catalog", "--lock", "nowhere.json")
    assert code == 2
    assert "toolhaft tools lock" in err


def test_changed_tools_are_approved_by_a_pattern(shop, toolhaft):
    name = shop()
    toolhaft("tools", "lock", name)
    shop(edited())
    code, out, _ = toolhaft("tools", "lock", name, "--approve", "listO*")
    assert code == 1
    assert "1 approved now. " in out
    assert toolhaft("tools", "lock", name, "--approve", "list*")[0] == 0
    code, _, err = toolhaft("tools", "lock", name, "--approve", "list*")
    assert (code, "fits no tool that changed" in err) == (2, True)


def test_a_lock_needs_a_place_and_something_to_approve(shop, toolhaft):
    code, _, err = toolhaft("tools", "lock", shop(), "--approve", "listOrders")
    assert (code, "there is no lock yet" in err) == (2, True)
    toolhaft("tools", "lock", shop())
    code, _, err = toolhaft("tools", "lock", shop(), "--approve", "listOrdrs")
    assert (code, "'listOrders'" in err) == (2, True)


def test_lint_shows_the_worst_and_fails_below_a_score(shop, toolhaft):
    code, out, _ = toolhaft("tools", "lint", shop())
    assert code == 0
    assert "nothing is said of" in out
    assert "[describe]" in out
    assert "of 100 over 3 tools" in out
    _, out, _ = toolhaft("tools", "lint", shop(), "--rule", "argument-*")
    assert "\nFindings: argument-undescribed (" in out
    assert ", " not in out.partition("\nFindings: ")[2].partition("\n")[0]
    assert toolhaft("tools", "lint", shop(), "--fail-under", "99.9")[0] == 1
    assert toolhaft("tools", "lint", shop(), "--fail-under", "10")[0] == 0
    _, out, _ = toolhaft("tools", "lint", shop(), "--json", "--tag", "orders")
    assert {tool["name"] for tool in json.loads(out)["tools"]} == {"listOrders", "addOrder"}


def test_an_import_into_a_catalog_that_is_there_keeps_its_names(shop, toolhaft):
    document = copy.deepcopy(CLEAN)
    document["paths"]["/items"]["get"]["operationId"] = "listOrders"
    toolhaft("tools", "import", shop(document), "-o", "shop.catalog")
    _, out, _ = toolhaft("tools", "list", "shop.catalog", "--json")
    before = {(tool["method"], tool["path"]): tool["name"] for tool in json.loads(out)}
    document["paths"] = dict(reversed(document["paths"].items()))
    toolhaft("tools", "import", shop(document), "-o", "shop.catalog")
    _, out, _ = toolhaft("tools", "list", "shop.catalog", "--json")
    assert {(tool["method"], tool["path"]): tool["name"] for tool in json.loads(out)} == before


def test_an_overlay_is_applied_first(shop, toolhaft, tmp_path):
    overlay = {
        "overlay": "1.0.0",
        "info": {"title": "Ours", "version": "1"},
        "actions": [{"target": "$.paths['/items']", "remove": True}],
    }
    (tmp_path / "overlay.json").write_text(json.dumps(overlay))
    code, out, err = toolhaft("tools", "import", shop(), "--overlay", "overlay.json")
    assert code == 0, err
    assert "Shop: 2 tools" in out
    overlay["actions"].append({"target": "$.paths['/gone']", "remove": True})
    (tmp_path / "overlay.json").write_text(json.dumps(overlay))
    words = ("tools", "import", shop(), "--overlay", "overlay.json")
    assert toolhaft(*words)[0] == 0
    code, out, _ = toolhaft(*words, "--strict")
    assert (code, "overlay.json#/actions/1" in out) == (1, True)


def test_tools_of_other_sources_are_filtered_and_imported_over_a_document(shop, toolhaft):
    toolhaft("tools", "import", shop(), "-o", "shop.catalog")
    code, out, err = toolhaft("tools", "import", "shop.catalog", "-o", "part.catalog", "--tag", "items")
    assert code == 0, err
    assert "Shop: 1 tool\n" in out
    code, out, err = toolhaft("tools", "import", "world:library", "-o", "shop.catalog")
    assert code in (0, 2), err
    assert "takes no setting" not in err

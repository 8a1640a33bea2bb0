"""Which servers of a document the caller's secrets may go to."""

import pytest

SCHEME = {"k": {"type": "apiKey", "in": "header", "name": "X-Key"}}


def server(name):
    return [{"url": f"https://{name}.example"}]


@pytest.mark.parametrize(
    ("root", "one", "two", "trusted"),
    [
        ("api", None, None, [True, True]),
        ("api", "api", "files", [True, False]),
        (None, "api", "api", [True, True]),
        (None, "api", "files", [False, False]),
        (None, "api", None, [True, True]),  # the second has no server at all: it cannot be called
    ],
)
def test_secrets_go_to_the_documents_own_servers(root, one, two, trusted, document, imported):
    def operation(name, own):
        found = {"operationId": name, "security": [{"k": []}]}
        return {"get": {**found, "servers": server(own)}} if own else {"get": found}

    value = document(
        paths={"/one": operation("one", one), "/two": operation("two", two)},
        components={"securitySchemes": SCHEME},
    )
    del value["servers"]
    if root:
        value["servers"] = server(root)
    found = imported(value, auth={"k": "env:KEY"})
    assert [found.build(name)[1].trusted for name in ("one", "two")] == trusted


def test_servers_of_path_items_elsewhere_count(document, imported):
    item = {"servers": server("evil"), "get": {"operationId": "two", "security": [{"k": []}]}}
    value = document(
        paths={
            "/one": {"get": {"operationId": "one", "security": [{"k": []}], "servers": server("api")}},
            "/two": {"$ref": "#/components/pathItems/two"},
        },
        components={"securitySchemes": SCHEME, "pathItems": {"two": item}},
    )
    del value["servers"]
    found = imported(value, auth={"k": "env:KEY"})
    assert [found.build(name)[1].trusted for name in ("one", "two")] == [False, False]
    named = imported(value, auth={"k": "env:KEY"}, allow_hosts=("api.example",))
    assert [named.build(name)[1].trusted for name in ("one", "two")] == [True, False]

"""Effects: the method's, corrected by names and marks, downwards only where everything agrees."""

import uuid

import pytest

from toolhaft.errors import FormatError
from toolhaft.openapi.documents.load import read_value
from toolhaft.openapi.effects import is_key_parameter, read_effect, reads_by_path
from toolhaft.openapi.importing import import_document
from toolhaft.openapi.options import ImportOptions
from toolhaft.openapi.requests.keys import idempotency_key
from toolhaft.openapi.source import OpenAPISource, check_binding


def effect_of(line, summary="", description="", **marks):
    method, path, identifier = (*line.split(), "")[:3]
    node = {"operationId": identifier, "summary": summary, "description": description, **marks}
    reading = read_effect(method, path, node)
    return reading.effect, reading.rule


@pytest.mark.parametrize(
    ("line", "summary"),
    [
        ("POST /items/search searchItems", ""),
        ("POST /items/_search", "Search items"),
        ("POST /docs:search documents.search", ""),
        ("POST /things/query queryThings", "Query things"),
        ("POST /item/get itemGet", "Retrieve an item"),
        ("POST /getChat getChat", ""),
        ("POST /issues/approximate-count countIssues", ""),
        ("POST /comments/list", "Bulk get comments"),
    ],
)
def test_a_search_by_post_reads(line, summary):
    assert effect_of(line, summary) == ("read", "search")


@pytest.mark.parametrize(
    ("line", "summary"),
    [
        ("POST /items/search", ""),  # the path alone says it
        ("POST /items searchItems", "Search items"),  # the names alone say it
        ("POST /items/search createSearch", ""),
        ("POST /searches createSearch", ""),
        ("POST /saved-search saveSearch", "Search"),
        ("POST /search/{id} searchIndex", "Search"),
        ("POST /items/search searchItems", "Search items and delete them"),
        ("POST /query query", "Query"),  # of what, nobody says
        ("POST /db/{id}/query queryDatabase", "Run SQL and get rows"),
        ("POST /graphql/query queryData", "Query"),
        ("POST /queue/get getMessage", "Get and pop a message"),
        ("POST /users/find-or-create findUser", "Find a user"),
        ("PUT /items/search searchItems", "Search items"),
        ("PATCH /items/search searchItems", "Search items"),
        ("POST /jobs/list-and-cancel listJobs", "List jobs"),
        ("POST /messages/{id}/read markRead", "Mark a message as read"),
        ("POST /messages/{id}/read messageRead", "Read"),
        ("POST /indices/{id}/reindex-search rebuildSearchIndex", ""),
        ("POST /stores/{id}:configureSearch stores.configureSearch", ""),
        ("POST /friends/find", "Find friends by uploading your contacts"),
        ("POST /layouts/get setAndGetLayout", "Get the layout"),
    ],
)
def test_what_does_not_agree_stays_a_write(line, summary):
    assert effect_of(line, summary)[0] == "write"


def test_a_description_that_begins_with_a_change_keeps_it_a_write():
    line = "POST /queries/{id}/retrieve"
    assert effect_of(line, "Retrieve all answers")[0] == "read"
    assert effect_of(line, "Retrieve all answers", "Starts a job that retrieves them.")[0] == "write"


def test_a_description_that_speaks_of_programs_keeps_it_a_write():
    line = "POST /data/{org}/query queryData"
    assert effect_of(line, "Query data", "Filters rows.")[0] == "read"
    assert effect_of(line, "Query data", "Runs a Flux script.")[0] == "write"


@pytest.mark.parametrize(
    ("line", "summary", "effect"),
    [
        ("GET /logout logout", "Logs out", "write"),
        ("GET /auth.revoke auth_revoke", "", "write"),
        ("GET /{index}/_refresh indices-refresh", "Refresh an index", "write"),
        ("GET /users/{id}/delete deleteUser", "", "write"),
        ("GET /invites/{code} invite_resolve", "", "read"),
        ("GET /import getImport", "Get an import", "read"),
        ("GET /updates listUpdates", "List all updates", "read"),
        ("GET /priorities.reset", "Check the reset", "read"),
        ("GET /add-ons findAllAddOns", "", "read"),
        ("GET /create-qr-code getQRCode", "Create a QR code", "read"),
    ],
)
def test_a_get_that_acts_is_a_write(line, summary, effect):
    assert effect_of(line, summary)[0] == effect


@pytest.mark.parametrize(
    ("line", "summary", "effect"),
    [
        ("DELETE /users/{id} deleteUser", "", "irreversible"),
        ("DELETE /users/{id}", "Permanently delete a user", "irreversible"),
        ("DELETE /users/{id}", "", "write"),
        ("DELETE /gists/{id}/star gists/unstar", "Unstar a gist", "write"),
        ("DELETE /groups/{g}/users/{u} removeMember", "Remove a member", "write"),
        ("DELETE /settings deleteSettings", "Reset the settings", "write"),
        ("POST /issues/delete deleteIssues", "", "irreversible"),
        ("POST /items/bulk_delete", "Bulk delete items", "irreversible"),
        ("POST /chat.delete chat_delete", "", "irreversible"),
        ("POST /items deleteItems", "", "write"),
        ("PATCH /mail/bounce_purge patchBouncePurge", "Update the settings of purging", "write"),
        ("POST /payments createPayment", "Create a payment", "irreversible"),
        ("POST /v1/charges PostCharges", "", "irreversible"),
        ("POST /charges/{id}/refund", "", "irreversible"),
        ("POST /orders/{id}/pay", "", "irreversible"),
        ("POST /payouts/{id} updatePayout", "", "write"),
        ("POST /payment_links createPaymentLink", "Create a payment link", "write"),
        ("POST /payment_methods PostPaymentMethods", "", "write"),
        ("POST /plans/{id}/charges createPlanCharge", "Create a charge", "write"),
        ("POST /payments/preview previewPayment", "Preview a payment", "write"),
        ("POST /repos/{r}/transfer repos/transfer", "Transfer a repository", "write"),
        ("POST /messages sendMessage", "", "irreversible"),
        ("POST /mail/send", "Send mail", "irreversible"),
        ("POST /Messages.json CreateMessage", "", "irreversible"),
        ("POST /events sendEvents", "Send usage events", "write"),
        ("POST /messages/{id} updateMessage", "Update a message", "write"),
        ("POST /chat.pinMessage", "Pin a message", "write"),
        ("POST /users createUser", "Create a user", "write"),
        ("POST /texts/broadcasts/{id}/archive archiveTextBroadcast", "Archive text broadcast", "write"),
        ("POST /api/transport-sms postTransportSms", "Create a transport resource", "write"),
        ("POST /users/{user}/emails users_emails_create", "Create an email address", "write"),
        ("POST /reports/messages messagesReport", "Submit a request for a messages report", "write"),
        ("POST /chat.postMessage post-chat.postMessage", "Post a message", "irreversible"),
        ("POST /text-messages createTextMessage", "Create a text message", "irreversible"),
        ("POST /authorizations/{id}/customer-token purchaseToken", "Generate a consumer token", "write"),
    ],
)
def test_deletions_payments_and_sendings_cannot_be_undone(line, summary, effect):
    assert effect_of(line, summary)[0] == effect


@pytest.mark.parametrize(
    ("line", "marks", "effect"),
    [
        ("GET /a", {"x-openai-isConsequential": True}, "write"),
        ("GET /a", {"x-read-only": False}, "write"),
        ("GET /a", {"x-kubernetes-action": "connect"}, "write"),
        ("GET /a", {"x-mcp": {"annotations": {"readOnlyHint": False}}}, "write"),
        ("POST /a", {"x-destructive": True}, "irreversible"),
        ("POST /a", {"x-speakeasy-mcp": {"destructiveHint": True}}, "irreversible"),
        ("POST /a", {"x-read-only": True}, "write"),
        ("POST /a", {"x-openai-isConsequential": False}, "write"),
        ("POST /a", {"x-toolhaft-effect": "read"}, "write"),
        ("POST /a/search", {"x-read-only": True}, "read"),
        ("POST /a/search", {"x-toolhaft-effect": "read"}, "read"),
        ("POST /a/search createSearch", {"x-toolhaft-effect": "read"}, "write"),
        ("DELETE /a deleteA", {"x-toolhaft-effect": "write"}, "write"),
        ("POST /a/search searchA", {"x-toolhaft-effect": "write"}, "write"),
        ("POST /a", {"x-read-only": "true"}, "write"),
    ],
)
def test_marks_raise_and_lower_only_with_the_path(line, marks, effect):
    assert effect_of(line, **marks)[0] == effect


@pytest.mark.parametrize(
    ("method", "marks", "repeatable"),
    [
        ("PUT", {}, True),
        ("DELETE", {}, True),
        ("POST", {}, False),
        ("POST", {"x-idempotent": True}, True),
        ("PUT", {"x-idempotent": False}, False),
        ("POST", {"x-mcp-tool": {"annotations": {"idempotentHint": True}}}, True),
        ("GET", {"x-openai-isConsequential": True}, False),
        ("GET", {"x-openai-isConsequential": True, "x-idempotent": True}, False),
    ],
)
def test_what_may_be_repeated(method, marks, repeatable):
    assert read_effect(method, "/a", marks).repeatable is repeatable


def test_a_correction_is_told_with_its_reason(built, imported, document):
    given = document(
        {"operationId": "thing", "summary": "Search things"}, path="/things/search", method="post"
    )
    spec, wire = built(given)
    assert (spec.effect, wire.effect, spec.repeatable) == ("read", "read", True)
    assert "/search" in spec.metadata["effect"]
    (entry,) = imported(given).report.operations
    assert entry.outcome == "imported"
    assert [problem.code for problem in entry.problems] == ["effect-search"]


@pytest.mark.parametrize(
    ("path", "summary", "allowed"),
    [("/things/search", "Search things", True), ("/things/search", "Search", True)],
)
def test_a_search_opens_again_from_a_catalog(built, document, path, summary, allowed):
    spec, wire = built(document({"summary": summary}, path=path, method="post"))
    check_binding(spec, wire)
    assert reads_by_path("POST", path) is allowed


def test_a_catalog_cannot_call_another_path_a_search(built, document):
    from dataclasses import replace

    spec, wire = built(document({"summary": "Search things"}, path="/things/search", method="post"))
    with pytest.raises(FormatError):
        check_binding(spec, replace(wire, path="/things"))


@pytest.mark.parametrize(
    ("name", "description", "found"),
    [
        ("Idempotency-Key", None, True),
        ("X-Idempotency-Key", "", True),
        ("idempotency_token", "", True),
        ("PayPal-Request-Id", "The server stores keys for idempotency.", True),
        ("X-Request-Id", "For support.", False),
        ("X-Api-Key", "", False),
        ("Idempotent-Replayed", "", False),
        ("X-Trace", "Idempotency is not touched.", False),
    ],
)
def test_headers_that_carry_a_key(name, description, found):
    assert is_key_parameter(name, description) is found


def key_document(document, method="post"):
    parameters = [
        {"name": "Idempotency-Key", "in": "header", "required": True, "schema": {"type": "string"}},
        {"name": "q", "in": "query", "schema": {"type": "string"}},
    ]
    return document({"parameters": parameters}, method=method)


def test_the_key_is_no_argument_of_a_write(built, document):
    spec, wire = built(key_document(document))
    assert set(spec.properties) == {"q"}
    assert spec.required == ()
    assert (spec.repeatable, wire.repeatable, wire.key_header) == (True, True, "Idempotency-Key")
    spec, wire = built(key_document(document, "get"))
    assert set(spec.properties) == {"Idempotency-Key", "q"}
    assert wire.key_header == ""


@pytest.mark.anyio
async def test_the_calls_own_key_is_sent(document, echo):
    value = {**key_document(document), "servers": [{"url": echo.base}]}
    source = OpenAPISource(allow_hosts=["127.0.0.1"])
    async with await source.load(value) as catalog:
        await catalog.call("thing", q="a")
        await catalog.call("thing", q="a")
    first, second = [one.headers["idempotency-key"] for one in echo.received]
    assert uuid.UUID(first) != uuid.UUID(second)


def test_the_same_call_has_the_same_key():
    assert idempotency_key("run-1") == idempotency_key("run-1") != idempotency_key("run-2")
    assert idempotency_key("") != idempotency_key("")


def test_effects_are_told_for_any_names():
    for text in ("", "🚀" * 9, "a" * 5000, "__", "::", "{", "}{", "/", "?#"):
        node = {"operationId": text, "summary": text, "description": text, "x-mcp": text}
        for method in ("GET", "POST", "DELETE", "LINK"):
            assert read_effect(method, text, node).effect in ("read", "write", "irreversible")
    for junk in (None, 3, [], {}, [{}]):
        node = {"operationId": junk, "summary": junk, "x-toolhaft-effect": junk, "x-mcp": junk}
        assert read_effect("POST", "/a", node).effect == "write"


def test_a_document_without_names_has_the_effects_of_its_methods(document):
    paths = {"/a": {method: {"responses": {}} for method in ("get", "put", "post", "delete", "patch")}}
    found = import_document(read_value(document(paths=paths)), ImportOptions())
    effects = {plan.method: plan.effect for plan in found.plans.values()}
    assert effects == {"GET": "read", "PUT": "write", "POST": "write", "DELETE": "write", "PATCH": "write"}

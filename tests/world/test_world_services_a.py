"""The bank, the mailbox, the library and the map answer, refuse and turn pages as their documents say."""

import copy
import re

import httpx
import jsonschema
import pytest

from toolhaft.openapi.documents.resolve import Resolver
from toolhaft.world.contract import RawRequest, contracts
from toolhaft.world.documents import read_document
from toolhaft.world.loading import load_service
from toolhaft.world.problem import RequestProblem
from toolhaft.world.server import World, secret_name
from toolhaft.world.store import Store

pytestmark = pytest.mark.slow

SERVICES = ("bank", "messages", "library", "maps")
DOCUMENTS = {name: read_document(name) for name in SERVICES}
CONTRACTS = {contract.id: (name, contract) for name in SERVICES for contract in contracts(DOCUMENTS[name])}
MOVED = {"from_account": "acc-1002", "to_account": "acc-1001", "amount": 250.5}
PAID = {"payee_id": "PAY-42", "from_account": "acc-1001", "amount": 120, "message": "Lunch"}
MAIL = {"to": ["bo@example.org", "eva@example.org"], "subject": "Tea", "text": "At four?"}
MAY = {"from_date": "2026-05-01", "to_date": "2026-05-31"}
VIENNA = {"origin": "pt-vienna-station", "destination": "pt-vienna-clocks"}

# One valid call of every operation.
CALLS = [
    ("listAccounts", {"kind": "savings"}),
    ("getAccount", {"account_id": "acc-1004"}),
    ("listTransactions", {"account_id": "acc-1001", **MAY, "category": "eating_out", "min_amount": 200}),
    ("getSpendingSummary", {"account_id": "acc-1001", **MAY}),
    ("getTransaction", {"transaction_id": "TXN-3001"}),
    ("disputeTransaction", {"transaction_id": "TXN-3022", "reason": "wrong_amount", "comment": "1,075"}),
    ("createTransfer", {**MOVED, "message": "For June", "Idempotency-Key": "a"}),
    ("listPayees", {"query": "jonas"}),
    ("createPayee", {"name": "Bo Ek", "account_number": "1234.56.78901"}),
    ("createPayment", {**PAID, "Idempotency-Key": "a"}),
    ("listBills", {"status": "open", "due_before": "2026-06-08"}),
    ("payBill", {"bill_id": "BILL-73", "from_account": "acc-1001", "Idempotency-Key": "a"}),
    ("listStandingOrders", {"status": "active"}),
    (
        "createStandingOrder",
        {"payee_id": "PAY-41", "from_account": "acc-1001", "amount": 90, "next_payment": "2026-06-15"},
    ),
    ("updateStandingOrder", {"standing_order_id": "STO-22", "amount": 175, "status": "paused"}),
    ("endStandingOrder", {"standing_order_id": "STO-22"}),
    ("listCards", {"status": "active"}),
    ("setCardLimits", {"card_id": "CRD-81", "works_abroad": True}),
    ("freezeCard", {"card_id": "CRD-81"}),
    ("unfreezeCard", {"card_id": "CRD-83"}),
    ("searchMessages", {"folder": "inbox", "sender": "novak", "since": "2026-05-01", "before": "2026-05-28"}),
    ("sendMessage", {**MAIL, "Idempotency-Key": "a"}),
    ("getMessage", {"message_id": "MSG-603"}),
    ("flagMessage", {"message_id": "MSG-605", "unread": False}),
    ("trashMessage", {"message_id": "MSG-625"}),
    ("listMessageAttachments", {"message_id": "MSG-608"}),
    ("replyToMessage", {"message_id": "MSG-616", "text": "Gladly", "Idempotency-Key": "a"}),
    ("forwardMessage", {"message_id": "MSG-603", "to": ["bo@example.org"], "note": "See below"}),
    ("moveMessage", {"message_id": "MSG-620", "folder": "travel"}),
    ("getConversation", {"conversation_id": "CNV-31"}),
    ("listMailFolders", {}),
    ("createMailFolder", {"folder": "Receipts 2026"}),
    ("listDrafts", {"query": "cabin"}),
    ("createDraft", {"subject": "Minutes"}),
    ("updateDraft", {"draft_id": "DRF-92", "to": ["nadia.karim@example.org"]}),
    ("deleteDraft", {"draft_id": "DRF-93"}),
    ("sendDraft", {"draft_id": "DRF-91", "Idempotency-Key": "a"}),
    ("getAutomaticReply", {}),
    ("setAutomaticReply", {"enabled": True, "first_day": "2026-07-06", "text": "Away"}),
    ("searchTitles", {"query": "novel", "format": "ebook", "published_since": 2015, "page_size": 2}),
    ("getTitle", {"title_id": "ttl-203"}),
    ("listTitleCopies", {"title_id": "ttl-201", "status": "in"}),
    ("listBranches", {"open_on": "saturday"}),
    ("getLibraryMember", {}),
    ("listLoans", {"status": "active", "due_before": "2026-06-08"}),
    ("borrowDigitalTitle", {"title_id": "ttl-203", "Idempotency-Key": "a"}),
    ("renewLoan", {"loan_id": "LN-401"}),
    ("returnDigitalLoan", {"loan_id": "LN-403"}),
    ("listHolds", {"status": "waiting"}),
    ("placeHold", {"title_id": "ttl-224", "branch_id": "br-lokka", "Idempotency-Key": "a"}),
    ("moveHold", {"hold_id": "HLD-52", "branch_id": "br-toyen"}),
    ("cancelHold", {"hold_id": "HLD-53"}),
    ("listLibraryFees", {}),
    ("payLibraryFee", {"fee_id": "FEE-31", "Idempotency-Key": "a"}),
    ("listStudyRooms", {"seats": 4, "equipment": "whiteboard"}),
    ("listStudyRoomTimes", {"room_id": "room-ibsen", "date": "2026-06-04"}),
    ("reserveStudyRoom", {"time_id": "TIM-111", "people": 6, "Idempotency-Key": "a"}),
    ("listReadings", {"audience": "adults", "from_date": "2026-06-11", "to_date": "2026-06-30"}),
    ("registerForReading", {"reading_id": "RDG-64", "seats": 6}),
    ("listMapCities", {}),
    ("searchPointsOfInterest", {"city": "Oslo", "category": "pharmacy", "step_free": "true"}),
    ("getPointOfInterest", {"point_id": "pt-oslo-school"}),
    ("getOpeningHours", {"point_id": "pt-vienna-clocks"}),
    ("geocodeAddress", {"address": "storgata 8"}),
    ("getTravelTimes", VIENNA),
    ("listTransitStops", {"city": "Oslo", "line": "12"}),
    ("listDepartures", {"stop_id": "stp-ryes", "after": "17:00", "line": "12", "limit": 2}),
    ("getTransitLine", {"line_id": "vienna-U4"}),
    ("listTransitDisruptions", {"city": "Oslo", "on_date": "2026-06-06"}),
    ("listParkingGarages", {"city": "Oslo", "min_free": 10, "min_height": 2.1, "sort": "price"}),
    ("listChargingStations", {"city": "Oslo", "connector": "chademo"}),
    ("listSavedPlaces", {"collection": "want_to_go"}),
    ("savePlace", {"point_id": "pt-berlin-optics", "label": "Lenses"}),
    ("updateSavedPlace", {"saved_id": "SAV-13", "note": "Free on Sundays"}),
    ("deleteSavedPlace", {"saved_id": "SAV-11"}),
    ("listMapReports", {"status": "open"}),
    ("reportMapProblem", {"point_id": "pt-oslo-korn", "kind": "wrong_hours", "details": "Opens at six"}),
    ("withdrawMapReport", {"report_id": "RPT-12"}),
]


class Client:
    """Turns flat arguments into requests by the documents."""

    def __init__(self, world, http):
        self.world = world
        self.http = http

    def send(self, run, operation, arguments):
        service, contract = CONTRACTS[operation]
        rest, path, query, headers = dict(arguments), contract.path, {}, {}
        for name, scheme in DOCUMENTS[service]["components"].get("securitySchemes", {}).items():
            secret = self.world.secrets[secret_name(name)]
            if scheme["type"] == "http":
                headers["Authorization"] = f"Bearer {secret}"
            else:
                (query if scheme["in"] == "query" else headers)[scheme["name"]] = secret
        for parameter in contract.parameters:
            if parameter.name not in rest:
                continue
            value = rest.pop(parameter.name)
            if parameter.place == "path":
                path = path.replace("{" + parameter.name + "}", value)
            else:
                (query if parameter.place == "query" else headers)[parameter.name] = value
        body = {}
        if contract.media_type:
            body = {"json": rest} if "json" in contract.media_type else {"data": rest}
        url = self.world.service_url(service, run) + path
        return self.http.request(contract.method, url, params=query, headers=headers, **body)

    def call(self, run, operation, arguments):
        answer = self.send(run, operation, arguments)
        assert answer.status_code < 400, answer.text
        return answer.json() if answer.content else None

    def state(self, run):
        return self.world.store.state(run)


@pytest.fixture(scope="module")
def client():
    world = World(services=SERVICES)
    world.start()
    with httpx.Client(timeout=10) as http:
        yield Client(world, http)
    world.stop()


@pytest.fixture
def run(request, client):
    name = re.sub("[^A-Za-z0-9]", "-", request.node.name)[:80]
    yield name
    client.world.store.reset(name)


def closed(schema):
    """Return a schema whose objects hold what it names and nothing else."""
    if isinstance(schema, dict):
        schema = {key: closed(value) for key, value in schema.items()}
        if "properties" in schema:
            schema.setdefault("additionalProperties", False)
        return schema
    return [closed(item) for item in schema] if isinstance(schema, list) else schema


def fits(answer, operation):
    service, contract = CONTRACTS[operation]
    document = DOCUMENTS[service]
    node = contract.responses.get(str(answer.status_code)) or contract.responses["default"]
    media = Resolver(document).follow(node, "")[0].get("content", {})
    if not media:
        assert answer.content == b""
        return
    sent = answer.headers["content-type"].partition(";")[0]
    schema = {**closed(media[sent]["schema"]), "components": closed(copy.deepcopy(document["components"]))}
    jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker()).validate(answer.json())


def test_each_service_has_many_operations_and_all_are_called():
    counts = [sum(home == name for home, _ in CONTRACTS.values()) for name in SERVICES]
    assert min(counts) >= 17
    assert sum(counts) >= 72
    assert {name for name, _ in CALLS} == set(CONTRACTS)


def test_credentials_are_asked_for_in_different_ways():
    schemes = {name: DOCUMENTS[name]["components"].get("securitySchemes", {}) for name in SERVICES}
    assert {
        name: [row.get("in") or row.get("scheme") for row in found.values()]
        for name, found in schemes.items()
    } == {
        "bank": ["bearer"],
        "messages": ["header"],
        "library": ["query"],
        "maps": [],
    }


def test_what_cannot_be_taken_back_is_marked():
    marked = {
        operation["operationId"]
        for document in DOCUMENTS.values()
        for item in document["paths"].values()
        for operation in item.values()
        if operation.get("x-toolhaft-effect") == "irreversible"
    }
    assert marked == {
        "createPayment",
        "payBill",
        "sendMessage",
        "replyToMessage",
        "forwardMessage",
        "sendDraft",
        "payLibraryFee",
    }


@pytest.mark.parametrize("service", ["bank", "messages", "library"])
def test_a_wrong_credential_is_refused(client, service):
    path = {"bank": "/accounts", "messages": "/messages", "library": "/loans"}[service]
    url = client.world.service_url(service, "keyless") + path
    wrong = {"params": {"card_key": "x"}} if service == "library" else {}
    headers = {"Authorization": "Bearer x", "X-Postbox-Key": "x"}
    answer = client.http.get(url, headers=headers, **wrong)
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(("operation", "arguments"), CALLS, ids=[name for name, _ in CALLS])
def test_answers_as_documented(client, run, operation, arguments):
    service, contract = CONTRACTS[operation]
    before = client.state(run)
    answer = client.send(run, operation, arguments)
    assert answer.status_code == contract.status, answer.text
    fits(answer, operation)
    after = client.state(run)
    if contract.method == "GET":
        assert after == before
        rows = [value for value in answer.json().values() if isinstance(value, list)]
        assert all(rows), "a listing of nothing shows nothing"
    else:
        assert after[service] != before[service]
        assert [row["operation"] for row in after["writes"]] == [operation]


@pytest.mark.parametrize(
    ("operation", "arguments", "rows", "key"),
    [
        ("listTransactions", {"account_id": "acc-1001", "page_size": 7}, "transactions", "transaction_id"),
        ("searchMessages", {"folder": "inbox"}, "messages", "message_id"),
        ("searchTitles", {"author": "strand", "page_size": 5}, "titles", "title_id"),
        ("searchPointsOfInterest", {"city": "Oslo", "page_size": 15}, "points", "point_id"),
    ],
)
def test_pages_lead_through_everything_once(client, run, operation, arguments, rows, key):
    whole = client.call(run, operation, {**arguments, "page_size": 50})
    assert whole["next_cursor"] is None
    seen, page, pages = [], {"next_cursor": ""}, 0
    while page["next_cursor"] is not None:
        given = {"cursor": page["next_cursor"]} if page["next_cursor"] else {}
        page = client.call(run, operation, {**arguments, **given})
        assert page["total"] == len(whole[rows])
        seen += [row[key] for row in page[rows]]
        pages += 1
    assert pages > 1
    assert seen == [row[key] for row in whole[rows]]
    assert len(set(seen)) == len(seen)


def test_lists_are_in_the_order_that_is_promised(client, run):
    days = [
        row["date"]
        for row in client.call(run, "listTransactions", {"account_id": "acc-1001"})["transactions"]
    ]
    assert days == sorted(days, reverse=True)
    sent = [row["sent_at"] for row in client.call(run, "searchMessages", {})["messages"]]
    assert sent == sorted(sent, reverse=True)
    prices = client.call(run, "listParkingGarages", {"city": "Oslo", "sort": "price"})["garages"]
    assert [row["garage_id"] for row in prices] == ["GAR-3", "GAR-1", "GAR-4", "GAR-2"]


def test_money_moves_from_one_account_to_the_other(client, run):
    client.call(run, "createTransfer", MOVED)
    client.call(run, "createPayment", PAID)
    client.call(run, "payBill", {"bill_id": "BILL-72", "from_account": "acc-1005"})
    accounts = client.state(run)["bank"]["accounts"]
    assert accounts["acc-1002"]["balance"] == 95949.5
    assert accounts["acc-1001"]["balance"] == 18563.0
    assert accounts["acc-1005"]["balance"] == 1670.5


@pytest.mark.parametrize(
    ("operation", "arguments", "collection"),
    [
        ("createTransfer", MOVED, "transfers"),
        ("createPayment", PAID, "payments"),
        ("sendMessage", MAIL, "messages"),
        ("placeHold", {"title_id": "ttl-224", "branch_id": "br-toyen"}, "holds"),
    ],
)
def test_the_same_key_is_carried_out_once(client, run, operation, arguments, collection):
    service = CONTRACTS[operation][0]
    before = len(client.state(run)[service][collection])
    first = client.call(run, operation, {**arguments, "Idempotency-Key": "k-1"})
    assert client.call(run, operation, {**arguments, "Idempotency-Key": "k-1"}) == first
    assert len(client.state(run)[service][collection]) == before + 1


def test_answers_go_to_the_sender_in_the_same_conversation(client, run):
    answer = client.call(run, "replyToMessage", {"message_id": "MSG-616", "text": "Gladly"})
    assert (answer["to"], answer["subject"]) == (["jonas.lund@example.org"], "Re: Cabin in August?")
    talk = client.call(run, "getConversation", {"conversation_id": "CNV-44"})["messages"]
    assert [row["message_id"] for row in talk] == ["MSG-616", "MSG-617", answer["message_id"]]


def test_lists_of_messages_hold_no_text(client, run):
    assert all("text" not in row for row in client.call(run, "searchMessages", {})["messages"])


def test_ways_are_the_same_in_both_directions(client, run):
    there = client.call(run, "getTravelTimes", VIENNA)
    back = client.call(
        run, "getTravelTimes", {"origin": VIENNA["destination"], "destination": VIENNA["origin"]}
    )
    assert there["walking_minutes"] == back["walking_minutes"] > 10
    assert (there["origin"], back["origin"]) == ("Vienna Central Station", "Clock Museum")


def test_more_than_ten_calls_a_second_have_to_wait():
    loaded, now = load_service("maps"), [0.0]
    store = Store([loaded.service], {"maps": loaded.data}, seed=0, clock=lambda: now[0])
    cities = next(contract for contract in loaded.contracts if contract.id == "listMapCities")
    asked = RawRequest(path={}, query=(), headers={})
    for _ in range(10):
        store.perform("run", "maps", cities, asked)
    with pytest.raises(RequestProblem) as refused:
        store.perform("run", "maps", cities, asked)
    assert (refused.value.status, refused.value.headers) == (429, {"Retry-After": "1"})
    assert "429" in cities.responses
    now[0] = 1.0
    assert len(store.perform("run", "maps", cities, asked)["cities"]) == 5


@pytest.mark.parametrize(
    ("operation", "arguments", "status", "detail"),
    [
        ("getAccount", {"account_id": "acc-9999"}, 404, "no account acc-9999"),
        ("getAccount", {"account_id": "1001"}, 422, "account_id"),
        ("getSpendingSummary", {"account_id": "acc-1001", **MAY, "to_date": "2026-04-30"}, 422, "before"),
        ("listTransactions", {"account_id": "acc-1001", "cursor": "elsewhere"}, 422, "no cursor"),
        ("disputeTransaction", {"transaction_id": "TXN-3025", "reason": "wrong_amount"}, 409, "came in"),
        ("disputeTransaction", {"transaction_id": "TXN-3038", "reason": "wrong_amount"}, 409, "pending"),
        (
            "createTransfer",
            {**MOVED, "from_account": "acc-1003"},
            409,
            "closed for withdrawals until 2026-07-01",
        ),
        ("createTransfer", {**MOVED, "to_account": "acc-1004"}, 409, "in NOK and Euro account in EUR"),
        ("createTransfer", {**MOVED, "amount": 96200.5}, 409, "balance of Savings account is 96200"),
        ("createTransfer", {**MOVED, "to_account": "acc-1002"}, 422, "where it comes from"),
        ("createTransfer", {**MOVED, "amount": 0}, 422, "amount"),
        ("createPayee", {"name": "A. Berg", "account_number": "2050.30.41001"}, 409, "saved already"),
        ("createPayment", {**PAID, "from_account": "acc-1004"}, 409, "in kroner"),
        ("createPayment", {**PAID, "payee_id": "PAY-1"}, 404, "no payee PAY-1"),
        ("createPayment", {**PAID, "amount": 18433}, 409, "balance"),
        ("payBill", {"bill_id": "BILL-71", "from_account": "acc-1001"}, 409, "paid already"),
        ("payBill", {"bill_id": "BILL-74", "from_account": "acc-1005"}, 409, "2310.5"),
        (
            "createStandingOrder",
            {"payee_id": "PAY-41", "from_account": "acc-1001", "amount": 90, "next_payment": "2026-06-01"},
            422,
            "future",
        ),
        ("updateStandingOrder", {"standing_order_id": "STO-9", "amount": 1}, 404, "STO-9"),
        ("setCardLimits", {"card_id": "CRD-83", "daily_limit": 100}, 409, "frozen"),
        ("freezeCard", {"card_id": "CRD-84"}, 409, "expired"),
        ("unfreezeCard", {"card_id": "CRD-81"}, 409, "active"),
        ("sendMessage", {**MAIL, "to": ["nobody"]}, 422, "to"),
        ("replyToMessage", {"message_id": "MSG-606", "text": "When?"}, 409, "takes no answers"),
        ("trashMessage", {"message_id": "MSG-633"}, 409, "in the trash already"),
        ("moveMessage", {"message_id": "MSG-632", "folder": "Receipts"}, 404, "no folder Receipts"),
        ("moveMessage", {"message_id": "MSG-632", "folder": "sent"}, 409, "nothing else"),
        ("createMailFolder", {"folder": "kitchen"}, 409, "a folder kitchen already"),
        ("sendDraft", {"draft_id": "DRF-92"}, 409, "no recipients"),
        ("sendDraft", {"draft_id": "DRF-93"}, 409, "no text"),
        ("getConversation", {"conversation_id": "CNV-1"}, 404, "CNV-1"),
        (
            "setAutomaticReply",
            {"enabled": True, "first_day": "2026-07-06", "last_day": "2026-07-05"},
            422,
            "before",
        ),
        ("borrowDigitalTitle", {"title_id": "ttl-202"}, 409, "lent out"),
        ("borrowDigitalTitle", {"title_id": "ttl-201"}, 409, "at the desk"),
        ("borrowDigitalTitle", {"title_id": "ttl-226"}, 409, "by this member already"),
        ("renewLoan", {"loan_id": "LN-402"}, 409, "Another member waits"),
        ("renewLoan", {"loan_id": "LN-404"}, 409, "returned already"),
        ("renewLoan", {"loan_id": "LN-405"}, 409, "twice"),
        ("returnDigitalLoan", {"loan_id": "LN-401"}, 409, "at a branch"),
        (
            "placeHold",
            {"title_id": "ttl-217", "branch_id": "br-toyen"},
            409,
            "a hold on White Gravel already",
        ),
        ("placeHold", {"title_id": "ttl-216", "branch_id": "br-toyen"}, 409, "no copy"),
        ("placeHold", {"title_id": "ttl-224", "branch_id": "br-furuset"}, 404, "no branch br-furuset"),
        ("moveHold", {"hold_id": "HLD-51", "branch_id": "br-lokka"}, 409, "ready at Toyen"),
        ("payLibraryFee", {"fee_id": "FEE-32"}, 409, "paid already"),
        ("reserveStudyRoom", {"time_id": "TIM-103", "people": 2}, 409, "Ibsen is taken"),
        ("reserveStudyRoom", {"time_id": "TIM-109", "people": 4}, 409, "3 seats"),
        ("registerForReading", {"reading_id": "RDG-63", "seats": 2}, 409, "1 seats left"),
        ("getOpeningHours", {"point_id": "pt-oslo-school"}, 404, "of Lakkegata school"),
        ("getTravelTimes", {**VIENNA, "destination": "pt-oslo-lys"}, 404, "to Cafe Lys"),
        ("getTravelTimes", {**VIENNA, "destination": VIENNA["origin"]}, 422, "where it starts"),
        ("searchPointsOfInterest", {"city": "Paris"}, 422, "city"),
        ("listDepartures", {"stop_id": "stp-nowhere"}, 404, "stp-nowhere"),
        (
            "savePlace",
            {"point_id": "pt-oslo-korn", "label": "lunch with anna"},
            409,
            "lunch with anna already",
        ),
        ("updateSavedPlace", {"saved_id": "SAV-11"}, 422, "less than 1 property"),
        ("withdrawMapReport", {"report_id": "RPT-11"}, 409, "fixed already"),
    ],
)
def test_refuses_as_documented_and_changes_nothing(client, run, operation, arguments, status, detail):
    before = client.state(run)
    answer = client.send(run, operation, arguments)
    assert answer.status_code == status, answer.text
    assert str(status) in CONTRACTS[operation][1].responses
    fits(answer, operation)
    assert re.search(detail, answer.json()["detail"])
    assert client.state(run) == before


@pytest.mark.parametrize(
    ("operation", "arguments"),
    [
        ("disputeTransaction", {"transaction_id": "TXN-3033", "reason": "charged_twice"}),
        ("borrowDigitalTitle", {"title_id": "ttl-203"}),
        ("reserveStudyRoom", {"time_id": "TIM-111"}),
        ("payBill", {"bill_id": "BILL-72", "from_account": "acc-1001"}),
        ("freezeCard", {"card_id": "CRD-81"}),
    ],
)
def test_what_was_done_cannot_be_done_again(client, run, operation, arguments):
    client.call(run, operation, arguments)
    before = client.state(run)
    assert client.send(run, operation, arguments).status_code == 409
    assert client.state(run) == before

"""The support desk, the notes, the drive and the staff directory do what their documents say."""

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

SERVICES = ("tickets", "notes", "files", "people")
DOCUMENTS = {name: read_document(name) for name in SERVICES}
CONTRACTS = {contract.id: (name, contract) for name in SERVICES for contract in contracts(DOCUMENTS[name])}
LEAVE = {"first_day": "2026-07-15", "last_day": "2026-07-17", "days": 3}
ROOM = {"room_id": "room-hav", "date": "2026-06-05", "part": "morning", "title": "Training"}
ASKED = {
    "queue_id": "que-it",
    "subject": "No sound",
    "requester": "eva.strand@example.org",
    "requester_name": "Eva Strand",
}

# One valid call of every operation, after the calls before it.
CALLS = [
    ("listTicketQueues", {}),
    ("getQueueLoad", {"queue_id": "que-billing"}),
    ("searchTickets", {"status": "open", "label": "vip", "query": "helen", "page_size": 2}),
    ("createTicket", {**ASKED, "priority": "high", "due": "2026-06-09", "Idempotency-Key": "a"}),
    ("getTicket", {"ticket_id": "TCK-2001"}),
    ("updateTicket", {"ticket_id": "TCK-2001", "due": "2026-06-05"}),
    ("assignTicket", {"ticket_id": "TCK-2022", "agent_id": "AGT-3"}),
    ("moveTicket", {"ticket_id": "TCK-2009", "queue_id": "que-support"}),
    ("resolveTicket", {"ticket_id": "TCK-2002", "resolution": "Release 8.2"}),
    ("closeTicket", {"ticket_id": "TCK-2029", "reason": "spam"}),
    ("reopenTicket", {"ticket_id": "TCK-2006"}),
    ("mergeTickets", {"ticket_id": "TCK-2002", "into": "TCK-2019"}),
    ("listTicketComments", {"ticket_id": "TCK-2001"}),
    ("addTicketComment", {"ticket_id": "TCK-2001", "text": "Paid back today"}),
    ("listTicketReplies", {"ticket_id": "TCK-2001"}),
    ("replyToRequester", {"ticket_id": "TCK-2001", "text": "It is paid back.", "Idempotency-Key": "a"}),
    ("listTicketLabels", {}),
    ("addTicketLabel", {"ticket_id": "TCK-2021", "label": "hardware"}),
    ("removeTicketLabel", {"ticket_id": "TCK-2001", "label": "refund"}),
    ("listSupportAgents", {"queue_id": "que-billing", "on_duty": "true"}),
    ("listNotebooks", {"archived": "false"}),
    ("createNotebook", {"name": "Garden"}),
    ("renameNotebook", {"notebook_id": "NBK-5", "name": "House"}),
    ("archiveNotebook", {"notebook_id": "NBK-3"}),
    ("searchNotes", {"query": "vienna", "notebook_id": "NBK-4", "limit": 1}),
    ("createNote", {"title": "Birds", "text": "A blackcap", "tags": ["garden"], "Idempotency-Key": "a"}),
    ("getNote", {"note_id": "NOTE-304"}),
    ("updateNote", {"note_id": "NOTE-304", "title": "Adeyemi workshop on Friday"}),
    ("appendToNote", {"note_id": "NOTE-304", "line": "Ask about Rotterdam"}),
    ("moveNote", {"note_id": "NOTE-301", "notebook_id": "NBK-4"}),
    ("deleteNote", {"note_id": "NOTE-304"}),
    ("setNotePinned", {"note_id": "NOTE-317", "pinned": False}),
    ("tagNote", {"note_id": "NOTE-301", "tag": "lisbon"}),
    ("untagNote", {"note_id": "NOTE-301", "tag": "shopping"}),
    ("listNoteShares", {"note_id": "NOTE-317"}),
    ("shareNote", {"note_id": "NOTE-301", "email": "kim.sato@example.org", "permission": "edit"}),
    ("stopSharingNote", {"share_id": "NSH-503"}),
    ("listChecklistItems", {"note_id": "NOTE-315", "checked": "false"}),
    ("addChecklistItem", {"note_id": "NOTE-315", "text": "Tickets for the concert"}),
    ("checkChecklistItem", {"item_id": "CHK-403"}),
    ("listDriveFolders", {"parent_id": "FLD-15"}),
    ("createDriveFolder", {"name": "Bergmann Optics", "parent_id": "FLD-15"}),
    ("searchFiles", {"kind": "pdf", "modified_since": "2026-05-01", "sort": "modified"}),
    ("createTextDocument", {"name": "Ideas.txt", "folder_id": "FLD-13", "content": "Larger buttons"}),
    ("getFile", {"file_id": "FIL-1010"}),
    ("renameFile", {"file_id": "FIL-1005", "name": "Agenda of the workshop.docx"}),
    ("moveFile", {"file_id": "FIL-1011", "folder_id": "FLD-22"}),
    ("copyFile", {"file_id": "FIL-1036", "folder_id": "FLD-22", "Idempotency-Key": "a"}),
    ("unlockFile", {"file_id": "FIL-1003"}),
    ("trashFile", {"file_id": "FIL-1018"}),
    ("listDriveTrash", {}),
    ("restoreFileFromTrash", {"file_id": "FIL-1092"}),
    ("deleteTrashedFile", {"file_id": "FIL-1093"}),
    ("emptyDriveTrash", {}),
    ("listFileVersions", {"file_id": "FIL-1002"}),
    ("restoreFileVersion", {"file_id": "FIL-1002", "number": 2}),
    ("listFileShares", {"file_id": "FIL-1008"}),
    ("shareFile", {"file_id": "FIL-1004", "email": "helen.adeyemi@example.org", "expires": "2026-06-30"}),
    ("revokeFileShare", {"share_id": "FSH-601"}),
    ("getStorageUsage", {}),
    ("searchStaff", {"office": "Lisbon", "skill": "portuguese", "page_size": 2}),
    ("getEmployee", {"employee_id": "EMP-101"}),
    ("listDirectReports", {"employee_id": "EMP-102"}),
    ("addEmployeeSkill", {"employee_id": "EMP-102", "skill": "first aid"}),
    ("listDepartments", {}),
    ("getDepartment", {"department_id": "dep-support"}),
    ("listOfficeHolidays", {"office": "Lisbon", "to_date": "2026-06-11"}),
    ("listAbsences", {"date": "2026-06-03"}),
    ("getLeaveBalance", {"employee_id": "EMP-102"}),
    ("listLeaveRequests", {"status": "pending", "department_id": "dep-support"}),
    ("requestLeave", {**LEAVE, "note": "Bergen", "Idempotency-Key": "a"}),
    ("getLeaveRequest", {"request_id": "LVR-207"}),
    ("withdrawLeaveRequest", {"request_id": "LVR-201"}),
    ("approveLeaveRequest", {"request_id": "LVR-212"}),
    ("rejectLeaveRequest", {"request_id": "LVR-212", "reason": "The supplier comes that day"}),
    ("reportSickLeave", {"first_day": "2026-06-01", "last_day": "2026-06-02"}),
    ("listMeetingRooms", {"office": "Oslo", "min_seats": 10, "equipment": "video"}),
    ("listRoomBookings", {"room_id": "room-fjell"}),
    ("bookMeetingRoom", {**ROOM, "Idempotency-Key": "a"}),
    ("cancelRoomBooking", {"booking_id": "RMB-402"}),
]


class Office:
    """A client that turns flat arguments into requests to the four services."""

    def __init__(self, world, client, run):
        self.world, self.client, self.run = world, client, run

    @property
    def state(self):
        return self.world.store.state(self.run)

    def send(self, operation, arguments=None, *, credentials=True):
        service, contract = CONTRACTS[operation]
        rest, path, query, headers = dict(arguments or {}), contract.path, {}, {}
        for name, scheme in DOCUMENTS[service]["components"].get("securitySchemes", {}).items():
            secret = self.world.secrets[secret_name(name)] if credentials else "wrong"
            place = query if scheme.get("in") == "query" else headers
            bearer = scheme["type"] == "http"
            place["Authorization" if bearer else scheme["name"]] = f"Bearer {secret}" if bearer else secret
        for parameter in contract.parameters:
            if parameter.name in rest:
                value = rest.pop(parameter.name)
                path = path.replace("{" + parameter.name + "}", str(value))
                if parameter.place != "path":
                    (query if parameter.place == "query" else headers)[parameter.name] = value
        body = {}
        if contract.media_type:
            body = {"json": rest} if "json" in contract.media_type else {"data": rest}
        url = self.world.service_url(service, self.run) + path
        return self.client.request(contract.method, url, params=query, headers=headers, **body)

    def call(self, operation, **arguments):
        answer = self.send(operation, arguments)
        assert answer.status_code < 400, answer.text
        return answer.json() if answer.content else None


@pytest.fixture(scope="module")
def served():
    world = World(services=SERVICES)
    world.start()
    with httpx.Client(timeout=10) as client:
        yield world, client
    world.stop()


@pytest.fixture
def office(request, served):
    world, client = served
    name = re.sub("[^A-Za-z0-9]", "-", request.node.name)[:80]
    yield Office(world, client, name)
    world.store.reset(name)


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
    response = contract.responses.get(str(answer.status_code)) or contract.responses["default"]
    media = Resolver(document).follow(response, "")[0].get("content", {})
    if not media:
        assert answer.content == b""
        return
    schema = media[answer.headers["content-type"].partition(";")[0]]["schema"]
    whole = {**closed(schema), "components": closed(copy.deepcopy(document["components"]))}
    jsonschema.Draft202012Validator(whole, format_checker=jsonschema.FormatChecker()).validate(answer.json())


def test_every_operation_is_called():
    assert [row[0] for row in CALLS] == list(dict.fromkeys(row[0] for row in CALLS))
    assert {row[0] for row in CALLS} == set(CONTRACTS)
    assert all(17 <= sum(name == one for name, _ in CONTRACTS.values()) <= 20 for one in SERVICES)


@pytest.mark.parametrize(("operation", "arguments"), CALLS, ids=[row[0] for row in CALLS])
def test_answers_as_documented(office, operation, arguments):
    service, contract = CONTRACTS[operation]
    before = office.state
    answer = office.send(operation, arguments)
    assert answer.status_code == contract.status, answer.text
    fits(answer, operation)
    after = office.state
    if contract.method == "GET":
        assert after == before
        assert any(value for value in answer.json().values() if value != answer.json().get("total"))
    else:
        assert after[service] != before[service]
        assert after["writes"][-1]["operation"] == operation
        others = [name for name in SERVICES if name != service]
        assert [after[name] for name in others] == [before[name] for name in others]


REFUSALS = [
    ("getTicket", {"ticket_id": "TCK-1"}, 404, "no ticket TCK-1"),
    ("getQueueLoad", {"queue_id": "que-none"}, 404, "no queue que-none"),
    ("createTicket", {**ASKED, "queue_id": "que-beta"}, 409, "Beta feedback accepts no new"),
    ("updateTicket", {"ticket_id": "TCK-2006", "priority": "low"}, 409, "is closed"),
    ("assignTicket", {"ticket_id": "TCK-2019", "agent_id": "AGT-4"}, 409, "Ben Okafor takes no more"),
    ("assignTicket", {"ticket_id": "TCK-2019", "agent_id": "AGT-2"}, 409, "not on duty"),
    ("assignTicket", {"ticket_id": "TCK-2019", "agent_id": "AGT-1"}, 409, "does not work on the queue"),
    ("assignTicket", {"ticket_id": "TCK-2019", "agent_id": "AGT-99"}, 404, "no agent AGT-99"),
    ("assignTicket", {"ticket_id": "TCK-2003", "agent_id": "AGT-3"}, 409, "resolved and cannot"),
    ("assignTicket", {"ticket_id": "TCK-2001", "agent_id": "AGT-5"}, 409, "works on TCK-2001 already"),
    ("moveTicket", {"ticket_id": "TCK-2022", "queue_id": "que-beta"}, 409, "accepts no new"),
    ("moveTicket", {"ticket_id": "TCK-2022", "queue_id": "que-support"}, 409, "already"),
    ("resolveTicket", {"ticket_id": "TCK-2003", "resolution": "Done"}, 409, "resolved already"),
    ("closeTicket", {"ticket_id": "TCK-2027", "reason": "answered"}, 409, "must be resolved before"),
    ("closeTicket", {"ticket_id": "TCK-2013", "reason": "spam"}, 409, "closed already"),
    ("reopenTicket", {"ticket_id": "TCK-2001"}, 409, "nothing to open"),
    ("mergeTickets", {"ticket_id": "TCK-2019", "into": "TCK-2019"}, 422, "into itself"),
    ("mergeTickets", {"ticket_id": "TCK-2019", "into": "TCK-2013"}, 409, "open it first"),
    ("addTicketComment", {"ticket_id": "TCK-2013", "text": "x"}, 409, "nothing can be written"),
    ("replyToRequester", {"ticket_id": "TCK-2013", "text": "x"}, 409, "nothing can be written"),
    ("addTicketLabel", {"ticket_id": "TCK-2001", "label": "urgent"}, 404, "no label urgent"),
    ("addTicketLabel", {"ticket_id": "TCK-2001", "label": "vip"}, 409, "already"),
    ("removeTicketLabel", {"ticket_id": "TCK-2001", "label": "bug"}, 404, "does not have"),
    ("searchTickets", {"cursor": "page-2"}, 422, "cursor"),
    ("searchTickets", {"page_size": 21}, 422, "page_size"),
    ("createNotebook", {"name": "travel"}, 409, "travel already"),
    ("renameNotebook", {"notebook_id": "NBK-6", "name": "Books"}, 409, "archived"),
    ("archiveNotebook", {"notebook_id": "NBK-6"}, 409, "archived already"),
    ("createNote", {"title": "x", "notebook_id": "NBK-6"}, 409, "takes no notes"),
    ("createNote", {"title": "x", "notebook_id": "NBK-99"}, 404, "NBK-99"),
    ("createNote", {"title": "x", "tags": ["Two Words"]}, 422, "tags"),
    ("updateNote", {"note_id": "NOTE-324", "text": "x"}, 409, "cannot be changed"),
    ("updateNote", {"note_id": "NOTE-301"}, 422, "#"),
    ("appendToNote", {"note_id": "NOTE-325", "line": "x"}, 409, "archived"),
    ("moveNote", {"note_id": "NOTE-301", "notebook_id": "NBK-7"}, 409, "takes no notes"),
    ("setNotePinned", {"note_id": "NOTE-301", "pinned": True}, 409, "Three notes"),
    ("setNotePinned", {"note_id": "NOTE-304", "pinned": True}, 409, "already"),
    ("tagNote", {"note_id": "NOTE-301", "tag": "shopping"}, 409, "already"),
    ("untagNote", {"note_id": "NOTE-301", "tag": "fish"}, 404, "does not have"),
    ("shareNote", {"note_id": "NOTE-304", "email": "Nadia.Karim@example.org"}, 409, "already"),
    ("stopSharingNote", {"share_id": "NSH-1"}, 404, "NSH-1"),
    ("checkChecklistItem", {"item_id": "CHK-404"}, 409, "already"),
    ("addChecklistItem", {"note_id": "NOTE-324", "text": "x"}, 409, "archived"),
    ("createDriveFolder", {"name": "finance"}, 409, "already"),
    ("createDriveFolder", {"name": "x", "parent_id": "FLD-21"}, 409, "read-only"),
    ("createTextDocument", {"name": "x.txt", "folder_id": "FLD-23", "content": "x"}, 409, "read-only"),
    ("createTextDocument", {"name": "logo set.ZIP", "folder_id": "FLD-13", "content": "x"}, 409, "already"),
    ("renameFile", {"file_id": "FIL-1010", "name": "x"}, 409, "locked by priya.menon"),
    ("renameFile", {"file_id": "FIL-1037", "name": "x"}, 409, "read-only"),
    ("renameFile", {"file_id": "FIL-1090", "name": "x"}, 404, "no file FIL-1090"),
    ("moveFile", {"file_id": "FIL-1009", "folder_id": "FLD-11"}, 409, "locked by nadia.karim"),
    ("moveFile", {"file_id": "FIL-1011", "folder_id": "FLD-21"}, 409, "Archive 2024 is read-only"),
    ("moveFile", {"file_id": "FIL-1036", "folder_id": "FLD-22"}, 409, "Archive 2024 is read-only"),
    ("moveFile", {"file_id": "FIL-1011", "folder_id": "FLD-12"}, 409, "already"),
    ("copyFile", {"file_id": "FIL-1025", "folder_id": "FLD-16"}, 409, "only 2600000 KB are free"),
    ("copyFile", {"file_id": "FIL-1011", "folder_id": "FLD-12"}, 409, "of that name"),
    ("unlockFile", {"file_id": "FIL-1010"}, 403, "Only priya.menon"),
    ("unlockFile", {"file_id": "FIL-1011"}, 409, "not locked"),
    ("trashFile", {"file_id": "FIL-1022"}, 409, "locked by zoe"),
    ("restoreFileFromTrash", {"file_id": "FIL-1010"}, 404, "no file in the trash"),
    ("deleteTrashedFile", {"file_id": "FIL-1010"}, 404, "no file in the trash"),
    ("restoreFileVersion", {"file_id": "FIL-1002", "number": 9}, 404, "no saved version 9"),
    ("restoreFileVersion", {"file_id": "FIL-1002", "number": 4}, 409, "present one"),
    (
        "shareFile",
        {"file_id": "FIL-1008", "email": "a@example.org", "role": "editor"},
        409,
        "cannot be edited",
    ),
    ("shareFile", {"file_id": "FIL-1008", "email": "anna.berg@example.org"}, 409, "already"),
    ("shareFile", {"file_id": "FIL-1008", "email": "a@example.org", "expires": "2026-05-31"}, 422, "past"),
    ("revokeFileShare", {"share_id": "FSH-1"}, 404, "FSH-1"),
    ("getEmployee", {"employee_id": "EMP-1"}, 404, "no employee EMP-1"),
    ("addEmployeeSkill", {"employee_id": "EMP-131", "skill": "first aid"}, 409, "already"),
    ("requestLeave", {**LEAVE, "days": 13}, 409, "12 days of vacation leave left, not 13"),
    ("requestLeave", {**LEAVE, "first_day": "2026-06-22", "last_day": "2026-06-23"}, 409, "already"),
    ("requestLeave", {**LEAVE, "first_day": "2026-07-18"}, 422, "before"),
    ("requestLeave", {**LEAVE, "first_day": "2026-05-29"}, 422, "past"),
    ("requestLeave", {**LEAVE, "days": 0.3}, 422, "days"),
    ("withdrawLeaveRequest", {"request_id": "LVR-202"}, 403, "Only Marina Costa"),
    ("approveLeaveRequest", {"request_id": "LVR-202"}, 403, "EMP-105"),
    ("approveLeaveRequest", {"request_id": "LVR-211"}, 409, "withdrawn already"),
    ("rejectLeaveRequest", {"request_id": "LVR-210", "reason": "No."}, 403, "EMP-101"),
    ("bookMeetingRoom", {**ROOM, "date": "2026-06-04"}, 409, "Hav is taken in the morning"),
    ("bookMeetingRoom", {**ROOM, "room_id": "room-sumida"}, 409, "out of use"),
    ("bookMeetingRoom", {**ROOM, "room_id": "room-alma", "date": "2026-06-10"}, 409, "Lisbon is closed"),
    ("bookMeetingRoom", {**ROOM, "date": "2026-05-29"}, 422, "past"),
    ("cancelRoomBooking", {"booking_id": "RMB-404"}, 403, "EMP-106"),
    ("listOfficeHolidays", {"office": "Paris"}, 422, "office"),
]


@pytest.mark.parametrize(
    ("operation", "arguments", "status", "detail"),
    REFUSALS,
    ids=[f"{n}-{row[0]}" for n, row in enumerate(REFUSALS)],
)
def test_refuses_as_documented_and_changes_nothing(office, operation, arguments, status, detail):
    before = office.state
    answer = office.send(operation, arguments)
    assert answer.status_code == status, answer.text
    assert str(status) in CONTRACTS[operation][1].responses
    assert answer.headers["content-type"] == "application/problem+json"
    fits(answer, operation)
    assert re.search(detail, answer.json()["detail"])
    assert office.state == before


@pytest.mark.parametrize("service", ["tickets", "notes", "files"])
def test_a_credential_is_needed(office, service):
    operation = next(name for name, row in CONTRACTS.items() if row[0] == service and row[1].method == "GET")
    answer = office.send(operation, {"note_id": "NOTE-301"}, credentials=False)
    assert answer.status_code == 401
    fits(answer, operation)


@pytest.mark.parametrize(
    ("operation", "collection", "key", "total", "last"),
    [
        ("searchTickets", "tickets", "ticket_id", 31, "TCK-2031"),
        ("searchFiles", "files", "file_id", 37, "FIL-1004"),
        ("searchStaff", "staff", "employee_id", 32, "EMP-117"),
    ],
)
def test_pages_hold_everything_once(office, operation, collection, key, total, last):
    seen, cursor = [], None
    while True:
        page = office.call(operation, **({"cursor": cursor} if cursor else {}))
        seen += [row[key] for row in page[collection]]
        cursor = page["next_cursor"]
        assert page["total"] == total
        if cursor is None:
            break
        assert len(page[collection]) == 10
    assert len(seen) == len(set(seen)) == total
    assert seen[-1] == last
    beyond = office.send(operation, {"cursor": "after-999"}).json()
    assert (beyond[collection], beyond["next_cursor"]) == ([], None)


def test_the_drive_limits_how_often_it_is_asked():
    loaded, now = load_service("files"), [0.0]
    store = Store([loaded.service], {"files": loaded.data}, seed=0, clock=lambda: now[0])
    request = RawRequest(path={}, query=(), headers={})
    contract = CONTRACTS["getStorageUsage"][1]
    for _ in range(20):
        assert store.perform("a", "files", contract, request)["free_kb"] == 2_600_000
    with pytest.raises(RequestProblem, match="More than 20 calls within 1 s") as caught:
        store.perform("a", "files", contract, request)
    assert (caught.value.status, caught.value.headers) == (429, {"Retry-After": "1"})
    assert "429" in contract.responses
    store.perform("b", "files", contract, request)
    now[0] = 1.0
    store.perform("a", "files", contract, request)


@pytest.mark.parametrize(
    ("operation", "arguments", "collection"),
    [
        ("createTicket", ASKED, "/tickets/tickets"),
        ("replyToRequester", {"ticket_id": "TCK-2001", "text": "Hello"}, "/tickets/replies"),
        ("createNote", {"title": "Birds"}, "/notes/notes"),
        ("createTextDocument", {"name": "a.txt", "folder_id": "FLD-19", "content": "x"}, "/files/files"),
        ("copyFile", {"file_id": "FIL-1036", "folder_id": "FLD-22"}, "/files/files"),
        ("shareFile", {"file_id": "FIL-1036", "email": "a@example.org"}, "/files/shares"),
        ("requestLeave", LEAVE, "/people/leave_requests"),
        ("bookMeetingRoom", ROOM, "/people/room_bookings"),
    ],
)
def test_a_write_with_the_same_key_is_carried_out_once(office, operation, arguments, collection):
    service, _, name = collection[1:].partition("/")
    before = len(office.state[service][name])
    first = office.call(operation, **arguments, **{"Idempotency-Key": "k1"})
    assert office.call(operation, **arguments, **{"Idempotency-Key": "k1"}) == first
    assert len(office.state[service][name]) == before + 1


def test_what_cannot_be_undone_is_marked():
    marked = {
        operation["operationId"]
        for document in DOCUMENTS.values()
        for item in document["paths"].values()
        for operation in item.values()
        if operation.get("x-toolhaft-effect") == "irreversible"
    }
    assert marked == {"replyToRequester", "deleteNote", "deleteTrashedFile", "emptyDriveTrash"}


def test_a_ticket_goes_its_way(office):
    made = office.call("createTicket", **ASKED)["ticket_id"]
    assert made == "TCK-2901"
    assert office.call("assignTicket", ticket_id=made, agent_id="AGT-7")["assignee"] == "AGT-7"
    assert office.state["tickets"]["agents"]["AGT-7"]["capacity"] == 1
    reply = office.call("replyToRequester", ticket_id=made, text="Is it muted?")
    assert reply["to"] == "eva.strand@example.org"
    assert office.call("getTicket", ticket_id=made)["status"] == "pending"
    solved = office.call("resolveTicket", ticket_id=made, resolution="It was muted")
    assert (solved["status"], solved["resolution"]) == ("resolved", "It was muted")
    assert office.call("closeTicket", ticket_id=made, reason="answered")["closed_as"] == "answered"
    opened = office.call("reopenTicket", ticket_id=made)
    assert (opened["status"], opened["resolution"], opened["closed_as"]) == ("open", "", None)


def test_merging_moves_the_comments(office):
    kept = office.call("mergeTickets", ticket_id="TCK-2002", into="TCK-2019")
    assert (kept["ticket_id"], kept["status"]) == ("TCK-2019", "open")
    assert [
        row["comment_id"] for row in office.call("listTicketComments", ticket_id="TCK-2019")["comments"]
    ] == ["CMT-703"]
    assert office.state["tickets"]["tickets"]["TCK-2002"]["closed_as"] == "duplicate"


def test_a_queue_counts_what_lies_in_it(office):
    assert office.call("getQueueLoad", queue_id="que-billing") == {
        "queue_id": "que-billing",
        "name": "Billing",
        "open": 4,
        "pending": 1,
        "unassigned": 2,
        "overdue": 0,
    }
    office.call("updateTicket", ticket_id="TCK-2001", due="2026-05-30")
    assert office.call("getQueueLoad", queue_id="que-billing")["overdue"] == 1


def test_a_deleted_note_takes_its_checklist_and_shares_along(office):
    office.call("deleteNote", note_id="NOTE-317")
    state = office.state["notes"]
    assert "NOTE-317" not in state["notes"]
    rows = [*state["checklist_items"].values(), *state["shares"].values()]
    assert rows
    assert all(row["note_id"] != "NOTE-317" for row in rows)


def test_a_line_is_added_below_the_text(office):
    assert office.call("appendToNote", note_id="NOTE-303", line="And tides")["text"] == (
        "The one about harbour cranes\nAnd tides"
    )


def test_the_trash_gives_room_and_takes_it(office):
    free = office.call("getStorageUsage")["free_kb"]
    office.call("trashFile", file_id="FIL-1006")
    assert office.call("getStorageUsage")["free_kb"] == free + 512_000
    assert office.send("getFile", {"file_id": "FIL-1006"}).status_code == 404
    assert office.call("restoreFileFromTrash", file_id="FIL-1006")["folder_id"] == "FLD-17"
    assert office.call("getStorageUsage")["free_kb"] == free
    office.call("emptyDriveTrash")
    assert office.call("listDriveTrash") == {"trash": []}
    assert office.send("emptyDriveTrash").status_code == 409


def test_going_back_to_a_version_keeps_the_others(office):
    file = office.call("restoreFileVersion", file_id="FIL-1002", number=1)
    assert (file["version"], file["size_kb"], file["modified"]) == (5, 80, "2026-06-01")
    numbers = [row["number"] for row in office.call("listFileVersions", file_id="FIL-1002")["versions"]]
    assert numbers == [5, 4, 3, 2, 1]


def test_days_of_leave_are_taken_and_given_back(office):
    def left(employee):
        rows = office.call("getLeaveBalance", employee_id=employee)["balances"]
        return {row["kind"]: row["left"] for row in rows}

    made = office.call("requestLeave", **LEAVE)
    assert left("EMP-102") == {"vacation": 9, "training": 3, "unpaid": 20}
    office.call("withdrawLeaveRequest", request_id=made["request_id"])
    assert left("EMP-102")["vacation"] == 12
    before = left("EMP-108")["vacation"]
    office.call("rejectLeaveRequest", request_id="LVR-212", reason="Too many are away")
    assert left("EMP-108")["vacation"] == before + 2


def test_a_room_is_taken_by_whoever_comes_first(office):
    made = office.call("bookMeetingRoom", **ROOM)
    assert office.send("bookMeetingRoom", ROOM).status_code == 409
    assert office.call("bookMeetingRoom", **{**ROOM, "part": "afternoon"})["employee_id"] == "EMP-102"
    office.call("cancelRoomBooking", booking_id=made["booking_id"])
    assert office.call("bookMeetingRoom", **ROOM)["room_id"] == "room-hav"

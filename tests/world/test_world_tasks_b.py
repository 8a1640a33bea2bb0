"""Tasks of desk, notes, drive and directory: first choices that fail, and other ways that count."""

import pytest

from toolhaft.evaluators.state_check import check
from toolhaft.types import Task
from toolhaft.world.contract import contracts
from toolhaft.world.documents import read_document, specs_folder
from toolhaft.world.server import World
from toolhaft.world.store import Store
from toolhaft.world.tasks import kind_of, load_tasks, preparation_of

pytestmark = pytest.mark.slow

SERVICES = ("tickets", "notes", "files", "people")
EVERY = ("weather", "travel", "shop", "calendar", *SERVICES)
CONTRACTS = {contract.id: (name, contract) for name in EVERY for contract in contracts(read_document(name))}
TASKS: dict[str, Task] = {
    task.id: task for file in sorted((specs_folder() / "tasks").glob("6_*.yaml")) for task in load_tasks(file)
}
PRESS = {"date": "2026-06-04", "part": "morning", "title": "Press day"}
AUGUST = {"first_day": "2026-08-03", "last_day": "2026-08-21", "days": 15}
TIME_ZONE = {
    "subject": "Wrong time zone",
    "requester": "jonas.lund@example.org",
    "requester_name": "Jonas Lund",
}
ORBITAL = {"title": "Orbital", "text": "Read on the flight to Tokyo"}
KIM = {"file_id": "FIL-1022", "email": "kim.sato@example.org"}
CLOSED = {"ticket_id": "TCK-2027", "reason": "answered"}
INTERVIEW = {"part": "morning", "title": "Interview"}

# The choice that comes to mind first in each dead end, and why it leads nowhere.
FIRST_CHOICES = [
    ("webhook-needs-somebody", "assignTicket", {"ticket_id": "TCK-2019", "agent_id": "AGT-4"}, "no more"),
    ("signed-in-again", "closeTicket", CLOSED, "must be resolved"),
    ("wrong-time-zone", "createTicket", {**TIME_ZONE, "queue_id": "que-beta"}, "no new tickets"),
    ("restaurants-on-top", "setNotePinned", {"note_id": "NOTE-316", "pinned": True}, "unpin one"),
    ("book-for-the-flight", "createNote", {**ORBITAL, "notebook_id": "NBK-6"}, "archived"),
    ("custard-tarts", "searchNotes", {"query": "custard tarts"}, None),
    ("film-for-adeyemi", "copyFile", {"file_id": "FIL-1025", "folder_id": "FLD-16"}, "are free"),
    (
        "start-plan",
        "renameFile",
        {"file_id": "FIL-1003", "name": "Adeyemi start plan.docx"},
        "ingrid.solheim",
    ),
    ("mock-ups-for-kim", "shareFile", {**KIM, "role": "editor"}, "cannot be edited"),
    ("old-budget-to-archive", "moveFile", {"file_id": "FIL-1011", "folder_id": "FLD-21"}, "read-only"),
    ("press-day", "bookMeetingRoom", {**PRESS, "room_id": "room-hav"}, "taken"),
    ("three-weeks-in-august", "requestLeave", AUGUST, "12 days"),
    ("first-aid-bergen", "searchStaff", {"skill": "first aid", "office": "Bergen"}, None),
    (
        "kim-edits-restaurants",
        "shareNote",
        {"note_id": "NOTE-316", "email": "kim.sato@example.org", "permission": "edit"},
        "already",
    ),
    ("iceland-to-hana", "assignTicket", {"ticket_id": "TCK-2022", "agent_id": "AGT-3"}, "not on duty"),
    (
        "interview-in-lisbon",
        "bookMeetingRoom",
        {**INTERVIEW, "room_id": "room-tejo", "date": "2026-06-10"},
        "closed",
    ),
]

# Other ways than the reference solution's that are as right: calls and answer.
OTHER_WAYS = [
    ("wrong-time-zone", [("createTicket", {**TIME_ZONE, "queue_id": "que-it"})], "Done."),
    (
        "restaurants-on-top",
        [
            ("setNotePinned", {"note_id": "NOTE-302", "pinned": False}),
            ("setNotePinned", {"note_id": "NOTE-316", "pinned": True}),
        ],
        "Done.",
    ),
    ("book-for-the-flight", [("createNote", {**ORBITAL, "notebook_id": "NBK-4"})], "Done."),
    ("press-day", [("bookMeetingRoom", {**PRESS, "room_id": "room-skog"})], "Done."),
    (
        "interview-in-lisbon",
        [("bookMeetingRoom", {**INTERVIEW, "room_id": "room-tejo", "date": "2026-06-11"})],
        "Done.",
    ),
    (
        "leave-for-bergen",
        [("requestLeave", {"first_day": "2026-07-15", "last_day": "2026-07-19", "days": 3})],
        "Done.",
    ),
    (
        "video-for-the-review",
        [
            (
                "bookMeetingRoom",
                {"room_id": "room-hav", "date": "2026-06-03", "part": "morning", "title": "Hm"},
            ),
            ("cancelRoomBooking", {"booking_id": "RMB-402"}),
        ],
        "Done.",
    ),
    ("iceland-to-hana", [("assignTicket", {"ticket_id": "TCK-2022", "agent_id": "AGT-5"})], "Done."),
    ("drive-room-left", [], "There are 2,600,000 KB free."),
    ("closed-in-lisbon", [], "June 4, June 10th and the 13th of June."),
    ("closed-in-lisbon", [], "It is closed on 4, 10, and 13 June."),
    ("setup-fee-in-kroner", [], "About 3,491.10 kroner."),
    ("oldest-file", [], "The Office lease Oslo has not been touched since 30 November 2023."),
    ("phone-of-the-boss", [], "Felix Brandt: +4930100109"),
    ("first-aid-bergen", [], "Per Aas in Oslo."),
]

# What looks alike but is not what was asked for, or too much of it.
WRONG_WAYS = [
    ("thermostat-fitted", [("closeTicket", {"ticket_id": "TCK-2021", "reason": "answered"})], "Done."),
    ("voucher-spam", [("resolveTicket", {"ticket_id": "TCK-2029", "resolution": "Spam"})], "Done."),
    (
        "remark-for-colleagues",
        [("replyToRequester", {"ticket_id": "TCK-2024", "text": "Helen decides by Friday"})],
        "Done.",
    ),
    (
        "refund-label-off",
        [("closeTicket", {"ticket_id": "TCK-2001", "reason": "answered"})],
        "Done.",
    ),
    ("bike-note", [("createTodo", {"title": "Bike service"})], "Done."),
    (
        "nadia-edits-note",
        [("shareNote", {"note_id": "NOTE-306", "email": "nadia.karim@example.org"})],
        "Done.",
    ),
    ("summer-tag", [("appendToNote", {"note_id": "NOTE-319", "line": "summer"})], "Done."),
    (
        "fever",
        [
            (
                "requestLeave",
                {"kind": "unpaid", "first_day": "2026-06-02", "last_day": "2026-06-03", "days": 2},
            )
        ],
        "Done.",
    ),
    ("same-webhook", [("mergeTickets", {"ticket_id": "TCK-2002", "into": "TCK-2019"})], "Done."),
    ("passport-packed", [("completeTodo", {"todo_id": "TODO-71"})], "Done."),
    (
        "rotterdam-line",
        [("updateNote", {"note_id": "NOTE-304", "text": "Ask about the Rotterdam depot"})],
        "Done.",
    ),
    ("meeting-notes-back", [("restoreFileFromTrash", {"file_id": "FIL-1091"})], "Done."),
    ("no-guidelines-for-optics", [("trashFile", {"file_id": "FIL-1019"})], "Done."),
    (
        "skog-not-needed",
        [("cancelRoomBooking", {"booking_id": "RMB-402"}), ("deleteEvent", {"event_id": "EVT-503"})],
        "Done.",
    ),
    (
        "ticket-for-mariana",
        [
            (
                "createTicket",
                {
                    "queue_id": "que-support",
                    "subject": "Tracking page stays empty",
                    "requester": "marina.costa@example.org",
                    "requester_name": "Marina Costa",
                },
            )
        ],
        "Done.",
    ),
    (
        "handouts-for-the-guest",
        [("sendInvitations", {"event_id": "EVT-507", "emails": ["helen.adeyemi@example.org"]})],
        "Done.",
    ),
    ("mock-ups-for-kim", [("shareFile", KIM)], "Done."),
    ("screenshot-for-good", [("emptyDriveTrash", {})], "Done."),
    (
        "signed-in-again",
        [("resolveTicket", {"ticket_id": "TCK-2027", "resolution": "New password"})],
        "Done.",
    ),
    ("three-weeks-in-august", [("requestLeave", {**AUGUST, "days": 12})], "Done."),
    ("phone-of-the-boss", [], "Maja Kowalska has +49 30 10 0115."),
    ("reader-in-bergen", [], "Jonas Lunde, +47 55 00 0119."),
    ("closed-in-lisbon", [], "It is closed on 10 and 13 June."),
    ("all-pdf", [], "The ten files take up 36235 KB."),
    ("newest-ticket", [], "It is about a tracking page in Japanese, from Kenji Ito."),
    ("traveller-numbers-for-good", [("deleteNote", {"note_id": "NOTE-318"})], "I cannot do this."),
    ("final-budget", [("copyFile", {"file_id": "FIL-1010", "folder_id": "FLD-22"})], "I cannot rename it."),
    ("kayak-note", [], "Done."),
]


@pytest.fixture(scope="module")
def store():
    made: Store = World(services=EVERY).store
    return made


def perform(store, operation, arguments):
    """Carry a call out in the run `b`, as a request that was read already."""
    from toolhaft.world.requesting import write_request

    service, contract = CONTRACTS[operation]
    return store.perform("b", service, contract, write_request(contract, arguments))


@pytest.fixture
def prepared(store):
    def prepare(name):
        store.prepare("b", preparation_of(TASKS[name]))
        return TASKS[name]

    yield prepare
    store.reset("b")


def test_every_kind_is_there():
    kinds = [kind_of(task) for task in TASKS.values()]
    tags = [tag for task in TASKS.values() for tag in task.tags]
    least = {"one_call": 8, "multi_call": 10, "cross_service": 8, "dead_end": 9}
    least |= {"approval": 4, "ask": 3, "unsolvable": 3}
    assert {kind: kinds.count(kind) >= number for kind, number in least.items()} == dict.fromkeys(least, True)
    for tag, number in {
        "pagination": 5,
        "fault": 4,
        "look_alike": 8,
        "write": 12,
        **dict.fromkeys(SERVICES, 8),
    }.items():
        assert tags.count(tag) >= number, tag


def test_every_dead_end_has_a_first_choice():
    assert {row[0] for row in FIRST_CHOICES} == {
        name for name, task in TASKS.items() if kind_of(task) == "dead_end"
    }


@pytest.mark.parametrize(
    ("name", "operation", "arguments", "refusal"), FIRST_CHOICES, ids=[row[0] for row in FIRST_CHOICES]
)
def test_the_first_choice_leads_nowhere(store, prepared, name, operation, arguments, refusal):
    from toolhaft.world.problem import RequestProblem

    prepared(name)
    before = store.state("b")
    if refusal is None:
        answer = perform(store, operation, arguments)
        assert next(iter(answer.values())) == []
    else:
        with pytest.raises(RequestProblem, match=refusal) as caught:
            perform(store, operation, arguments)
        assert caught.value.status == 409
    assert store.state("b") == before


@pytest.mark.parametrize(
    ("name", "calls", "answer"), OTHER_WAYS, ids=[f"{n}-{row[0]}" for n, row in enumerate(OTHER_WAYS)]
)
def test_another_way_that_is_right_passes(store, prepared, name, calls, answer):
    task = prepared(name)
    for operation, arguments in calls:
        perform(store, operation, arguments)
    score = check(task, answer, store.state("b"))
    assert score.value == 1.0, score.reason


@pytest.mark.parametrize(
    ("name", "calls", "answer"), WRONG_WAYS, ids=[f"{n}-{row[0]}" for n, row in enumerate(WRONG_WAYS)]
)
def test_what_only_looks_right_does_not_pass(store, prepared, name, calls, answer):
    task = prepared(name)
    for operation, arguments in calls:
        perform(store, operation, arguments)
    assert check(task, answer, store.state("b")).value == 0.0

"""Tasks in plain words: what fails first in a dead end, what else is right, and what is not."""

import pytest

from toolhaft.evaluators.state_check import check
from toolhaft.world.contract import contracts
from toolhaft.world.documents import read_document, service_names, specs_folder
from toolhaft.world.loading import load_service
from toolhaft.world.preparation import Preparation
from toolhaft.world.problem import RequestProblem
from toolhaft.world.requesting import write_request
from toolhaft.world.store import Store
from toolhaft.world.tasks import kind_of, load_tasks, preparation_of

pytestmark = pytest.mark.slow

SERVICES = service_names(specs_folder())
CONTRACTS = {
    contract.id: (name, contract) for name in SERVICES for contract in contracts(read_document(name))
}
FILES = sorted((specs_folder() / "tasks").glob("7_*.yaml"))
TASKS = {task.id: task for file in FILES for task in load_tasks(file)}
STAY = {"check_in": "2026-06-12", "check_out": "2026-06-14", "lead_guest": "Robin Hale", "guests": 3}
WARNINGS = {"email": "robin.hale@example.org", "min_severity": "severe"}
PLANNING = {"date": "2026-06-02", "part": "afternoon", "title": "Planning"}
VISIT = {"room_id": "room-tejo", "part": "morning", "title": "Visit"}
VACATION = {"kind": "vacation", "days": 1}
SAVINGS = {"to_account": "acc-1002", "amount": 5000}

# What comes to mind first in a dead end: refused with a status, or nothing in the member that is named.
FIRST_CHOICES = [
    ("rain-jacket-into-cart", "addCartItem", {"product_id": "prd-101"}, 409),
    ("rain-jacket-into-cart", "addCartItem", {"product_id": "prd-102"}, 409),
    ("coupon-for-cart", "applyCoupon", {"code": "SPRING20"}, 409),
    ("review-of-hiking-shoes", "listProductReviews", {"product_id": "prd-113"}, "reviews"),
    ("porto-for-three", "bookHotel", {**STAY, "hotel_id": "htl-ribeira-house"}, 409),
    ("bergen-for-four", "changeHotelBooking", {"booking_id": "BK-2004", "guests": 4}, 409),
    ("cancel-a-hotel", "cancelBooking", {"booking_id": "BK-2003"}, 409),
    (
        "lisbon-for-250",
        "searchFlights",
        {"origin": "OSL", "destination": "LIS", "date": "2026-06-12", "max_price": 250},
        "flights",
    ),
    ("time-for-the-report", "findFreeSlots", {"date": "2026-06-05"}, "slots"),
    ("telephone-of-tomas", "getContact", {"contact_id": "CON-14"}, "phone"),
    ("tick-off-low-priority", "completeTodo", {"todo_id": "TODO-74"}, 409),
    ("when-is-parents-evening", "listEvents", {"query": "Parents evening"}, "events"),
    ("sea-at-portland", "getMarineConditions", {"place_id": "plc-portland-us-or"}, 404),
    ("warning-portugal-or-spain", "listWeatherAlerts", {"country": "PT"}, "alerts"),
    (
        "one-more-subscription",
        "createAlertSubscription",
        {**WARNINGS, "place_id": "plc-bergen-no"},
        409,
    ),
    ("ebook-by-elin-strand", "borrowDigitalTitle", {"title_id": "ttl-209"}, 409),
    ("novel-as-ebook", "borrowDigitalTitle", {"title_id": "ttl-209"}, 409),
    ("novel-as-ebook", "borrowDigitalTitle", {"title_id": "ttl-226"}, 409),
    ("novel-as-ebook", "borrowDigitalTitle", {"title_id": "ttl-202"}, 409),
    ("ibsen-for-four", "reserveStudyRoom", {"time_id": "TIM-101", "people": 4}, 409),
    (
        "room-in-bjorvika",
        "listStudyRoomTimes",
        {"room_id": "room-grieg", "date": "2026-06-02"},
        "times",
    ),
    ("renew-one-loan", "renewLoan", {"loan_id": "LN-401"}, 409),
    ("renew-one-loan", "renewLoan", {"loan_id": "LN-402"}, 409),
    ("into-the-savings", "createTransfer", {**SAVINGS, "from_account": "acc-1005"}, 409),
    ("unfreeze-debit-card", "unfreezeCard", {"card_id": "CRD-81"}, 409),
    (
        "dispute-the-bakery",
        "disputeTransaction",
        {"transaction_id": "TXN-3038", "reason": "not_recognised"},
        409,
    ),
    ("pay-skogtele", "payBill", {"bill_id": "BILL-73", "from_account": "acc-1003"}, 409),
    ("parents-evening-to-folder", "moveMessage", {"message_id": "MSG-615", "folder": "School"}, 404),
    ("send-finished-draft", "sendDraft", {"draft_id": "DRF-91"}, 409),
    ("send-finished-draft", "sendDraft", {"draft_id": "DRF-92"}, 409),
    ("file-from-anna-berg", "listMessageAttachments", {"message_id": "MSG-604"}, "attachments"),
    ("share-vienna-note", "shareNote", {"note_id": "NOTE-315", "email": "kim.sato@example.org"}, 409),
    ("line-for-adeyemi", "appendToNote", {"note_id": "NOTE-325", "line": "Bring the price list"}, 409),
    ("vienna-checklist", "listChecklistItems", {"note_id": "NOTE-316"}, "items"),
    ("restore-from-trash", "restoreFileFromTrash", {"file_id": "FIL-1092"}, 409),
    (
        "logo-set-for-jonas",
        "shareFile",
        {"file_id": "FIL-1020", "email": "jonas.lund@example.org", "role": "editor"},
        409,
    ),
    ("budget-to-board", "moveFile", {"file_id": "FIL-1011", "folder_id": "FLD-20"}, 409),
    ("budget-to-board", "moveFile", {"file_id": "FIL-1010", "folder_id": "FLD-20"}, 409),
    ("earlier-review-notes", "restoreFileVersion", {"file_id": "FIL-1021", "number": 1}, 404),
    ("planning-in-oslo", "bookMeetingRoom", {**PLANNING, "room_id": "room-elv"}, 409),
    ("visit-in-lisbon", "bookMeetingRoom", {**VISIT, "date": "2026-06-04"}, 409),
    ("visit-in-lisbon", "bookMeetingRoom", {**VISIT, "date": "2026-06-05"}, 409),
    ("approve-one-leave", "approveLeaveRequest", {"request_id": "LVR-202"}, 403),
    (
        "one-day-of-vacation",
        "requestLeave",
        {**VACATION, "first_day": "2026-06-22", "last_day": "2026-06-22"},
        409,
    ),
    ("billing-ticket-to-agent", "assignTicket", {"ticket_id": "TCK-2031", "agent_id": "AGT-5"}, 409),
    ("reopen-for-anna-bergmann", "reopenTicket", {"ticket_id": "TCK-2008"}, 409),
    ("move-to-beta-or-integrations", "moveTicket", {"ticket_id": "TCK-2008", "queue_id": "que-beta"}, 409),
    ("label-for-webhooks", "addTicketLabel", {"ticket_id": "TCK-2019", "label": "webhook"}, 404),
    ("pharmacy-on-saturday", "getOpeningHours", {"point_id": "pt-oslo-night"}, 404),
    (
        "tram-12-after-noon",
        "listDepartures",
        {"stop_id": "stp-torggata", "line": "12", "after": "12:00"},
        "departures",
    ),
    ("hundred-free-spaces", "listParkingGarages", {"city": "Vienna", "min_free": 100}, "garages"),
]

# Ways to the goal that differ from the reference solution's and are as right: calls and answer.
OTHER_WAYS = [
    ("porto-for-three", [("bookHotel", {**STAY, "hotel_id": "htl-douro-palace", "room_type": "suite"})], ""),
    ("cancel-a-hotel", [("cancelBooking", {"booking_id": "BK-2004"})], ""),
    (
        "lisbon-for-250",
        [("bookFlight", {"flight_id": "MR1102-20260613", "passengers": [{"name": "Robin Hale"}]})],
        "",
    ),
    ("planning-in-oslo", [("bookMeetingRoom", {**PLANNING, "room_id": "room-hav"})], ""),
    ("restore-from-trash", [("restoreFileFromTrash", {"file_id": "FIL-1093"})], ""),
    ("line-for-adeyemi", [("appendToNote", {"note_id": "NOTE-305", "line": "Bring the price list"})], ""),
    (
        "parents-evening-to-folder",
        [
            ("createMailFolder", {"folder": "School"}),
            ("moveMessage", {"message_id": "MSG-615", "folder": "School"}),
        ],
        "",
    ),
    ("telephone-of-tomas", [], "It is +47 22 00 0103."),
    ("when-is-parents-evening", [], "On Wednesday, 10 June 2026."),
    ("sunset-in-tokyo", [], "At 7:11 pm."),
    ("review-of-hiking-shoes", [], 'It is called "Best boots I have had".'),
]

# What looks right and is not: calls and an answer that sounds well.
WRONG_WAYS = [
    ("rain-jacket-into-cart", [("addCartItem", {"product_id": "prd-103"})], "It is in your cart."),
    (
        "lisbon-for-250",
        [("bookFlight", {"flight_id": "NW1100-20260612", "passengers": [{"name": "Robin Hale"}]})],
        "Booked.",
    ),
    (
        "time-for-the-report",
        [
            (
                "createEvent",
                {
                    "title": "Write the report",
                    "start": "2026-06-05T10:00",
                    "end": "2026-06-05T12:00",
                },
            )
        ],
        "It is in your calendar.",
    ),
    (
        "into-the-savings",
        [("createTransfer", {**SAVINGS, "from_account": "acc-1001", "amount": 500})],
        "Done.",
    ),
    ("unfreeze-debit-card", [], "Your debit card is active."),
    ("planning-in-oslo", [("bookMeetingRoom", {**PLANNING, "room_id": "room-brygge"})], "Booked."),
    (
        "logo-set-for-jonas",
        [("shareFile", {"file_id": "FIL-1020", "email": "jonas.lund@example.org", "role": "viewer"})],
        "Jonas may comment.",
    ),
    (
        "approve-one-leave",
        [("rejectLeaveRequest", {"request_id": "LVR-212", "reason": "No cover"})],
        "Approved.",
    ),
    ("file-from-anna-berg", [], "She attached lens-samples.pdf."),
    ("delete-garden-shed", [("deleteNote", {"note_id": "NOTE-322"})], "I cannot delete it."),
    ("smallest-file", [], "It is Bergen summer plan.docx."),
]


@pytest.fixture(scope="module")
def store():
    loaded = [load_service(name) for name in SERVICES]
    return Store(
        [part.service for part in loaded],
        {name: part.data for name, part in zip(SERVICES, loaded, strict=True)},
        seed=0,
    )


@pytest.fixture
def run(store):
    store.prepare("run", Preparation())
    yield "run"
    store.reset("run")


def perform(store, run, operation, arguments):
    service, contract = CONTRACTS[operation]
    return store.perform(run, service, contract, write_request(contract, arguments))


def names(rows):
    return [f"{n}-{row[0]}" for n, row in enumerate(rows)]


def test_there_are_enough_of_every_kind():
    kinds = [kind_of(task) for task in TASKS.values()]
    least = {"one_call": 6, "multi_call": 10, "dead_end": 32, "approval": 4, "ask": 3, "unsolvable": 3}
    assert {kind: kinds.count(kind) >= n for kind, n in least.items()} == dict.fromkeys(least, True)
    dead_ends = [task for task in TASKS.values() if kind_of(task) == "dead_end"]
    assert {name for task in dead_ends for name in task.tags} >= set(SERVICES)
    tags = [tag for task in TASKS.values() for tag in task.tags]
    assert tags.count("write") >= 20
    assert tags.count("pagination") >= 6


def test_every_dead_end_has_a_first_choice_here():
    assert {row[0] for row in FIRST_CHOICES} == {
        task.id for task in TASKS.values() if kind_of(task) == "dead_end"
    }


def test_instructions_are_short_and_plain():
    for task in TASKS.values():
        assert len(task.instruction.split()) <= 32, task.id


@pytest.mark.parametrize(
    ("name", "operation", "arguments", "outcome"), FIRST_CHOICES, ids=names(FIRST_CHOICES)
)
def test_the_first_choice_fails_visibly(store, run, name, operation, arguments, outcome):
    store.prepare(run, preparation_of(TASKS[name]))
    before = store.state(run)
    if isinstance(outcome, int):
        with pytest.raises(RequestProblem) as refused:
            perform(store, run, operation, arguments)
        assert refused.value.status == outcome
    else:
        assert not perform(store, run, operation, arguments)[outcome]
    assert store.state(run) == before
    assert check(TASKS[name], "Done.", before).value == 0.0


@pytest.mark.parametrize(("name", "calls", "answer"), OTHER_WAYS, ids=names(OTHER_WAYS))
def test_other_ways_count_as_well(store, run, name, calls, answer):
    store.prepare(run, preparation_of(TASKS[name]))
    for operation, arguments in calls:
        perform(store, run, operation, arguments)
    score = check(TASKS[name], answer or "Done.", store.state(run))
    assert score.value == 1.0, score.reason


@pytest.mark.parametrize(("name", "calls", "answer"), WRONG_WAYS, ids=names(WRONG_WAYS))
def test_what_only_looks_right_does_not_count(store, run, name, calls, answer):
    store.prepare(run, preparation_of(TASKS[name]))
    for operation, arguments in calls:
        perform(store, run, operation, arguments)
    assert check(TASKS[name], answer, store.state(run)).value == 0.0

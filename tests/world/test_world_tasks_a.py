"""Tasks of bank, mailbox, library and map: what fails first, what else is right, and what is not."""

import pytest

from toolhaft.evaluators.state_check import check
from toolhaft.world.contract import contracts
from toolhaft.world.documents import read_document, specs_folder
from toolhaft.world.loading import load_service
from toolhaft.world.preparation import Preparation
from toolhaft.world.problem import RequestProblem
from toolhaft.world.requesting import write_request
from toolhaft.world.store import Store
from toolhaft.world.tasks import kind_of, load_tasks, preparation_of

pytestmark = pytest.mark.slow

SERVICES = ("weather", "travel", "shop", "calendar", "bank", "messages", "library", "maps")
CONTRACTS = {
    contract.id: (name, contract) for name in SERVICES for contract in contracts(read_document(name))
}
FILES = sorted((specs_folder() / "tasks").glob("5_*.yaml"))
TASKS = {task.id: task for file in FILES for task in load_tasks(file)}
HOUSEHOLD = {"to_account": "acc-1005", "amount": 2000}
JONAS = {"from_account": "acc-1001", "amount": 1180}
SCREEN = {"people": 4}

# What comes to mind first in a dead end: it is refused, or there is nothing that fits in what it answers.
FIRST_CHOICES = [
    ("salt-road-tonight", "borrowDigitalTitle", {"title_id": "ttl-202"}, 409),
    ("course-for-the-flight", "borrowDigitalTitle", {"title_id": "ttl-219"}, 409),
    ("holiday-money", "createTransfer", {**HOUSEHOLD, "from_account": "acc-1003"}, 409),
    ("evening-for-two", "registerForReading", {"reading_id": "RDG-61", "seats": 2}, 409),
    ("bookbinding-for-three", "registerForReading", {"reading_id": "RDG-63", "seats": 3}, 409),
    ("room-with-a-screen", "reserveStudyRoom", {**SCREEN, "time_id": "TIM-103"}, 409),
    ("file-the-invoice", "moveMessage", {"message_id": "MSG-632", "folder": "Receipts"}, 404),
    ("use-the-household-card", "setCardLimits", {"card_id": "CRD-83", "daily_limit": 5000}, 409),
    ("early-elin-strand", "placeHold", {"title_id": "ttl-216", "branch_id": "br-toyen"}, 409),
    ("a-week-longer", "replyToMessage", {"message_id": "MSG-606", "text": "Please keep The Salt Road"}, 409),
    (
        "tram-12-home",
        "listDepartures",
        {"stop_id": "stp-torggata", "line": "12", "after": "17:00"},
        "departures",
    ),
    ("museum-on-friday", "getOpeningHours", {"point_id": "pt-oslo-boats"}, "2026-06-05"),
]

# Ways to the goal that differ from the reference solution's and are as right: calls and answer.
OTHER_WAYS = [
    ("holiday-money", [("createTransfer", {**HOUSEHOLD, "from_account": "acc-1001"})], "Done."),
    ("room-with-a-screen", [("reserveStudyRoom", {**SCREEN, "time_id": "TIM-108"})], "Undset, from one."),
    (
        "charged-twice",
        [("disputeTransaction", {"transaction_id": "TXN-3034", "reason": "charged_twice"})],
        "Done.",
    ),
    (
        "use-the-household-card",
        [
            ("unfreezeCard", {"card_id": "CRD-83"}),
            ("setCardLimits", {"card_id": "CRD-83", "daily_limit": 5000.0}),
        ],
        "It works again.",
    ),
    (
        "lunch-it-is",
        [
            (
                "sendMessage",
                {
                    "to": ["anna.berg@example.org"],
                    "subject": "Lunch",
                    "text": "Yes, see you there at twelve. Robin",
                },
            )
        ],
        "Sent.",
    ),
    (
        "choir-mail-folder",
        [("createMailFolder", {"folder": "choir"})],
        "It is there.",
    ),
    ("tram-12-home", [], "From Jernbanetorget at 5:15 p.m."),
    ("best-rated-in-oslo", [], "The Weaving Museum; it opens at 11 am on Thursdays."),
    ("last-dentist-bill", [], "On 17 March you paid 1,450 kroner."),
    ("clocks-on-saturday", [], "Sadly it isn't open on 20 June."),
    ("missing-for-the-club", [], "You are 169.50 kroner short."),
    ("works-on-line-12", [], "It skips Torggata until June 14th."),
    ("branch-on-sundays", [], "Bjorvika does, until 10 pm."),
    ("tiles-in-kroner", [], "186 euros are 2,164.48 NOK."),
]

# What looks right and is not: calls and an answer that sounds well.
WRONG_WAYS = [
    ("pay-jonas", [("createPayment", {**JONAS, "payee_id": "PAY-44"})], "Jonas has 1,180 kroner."),
    ("pay-jonas", [("createPayment", {**JONAS, "payee_id": "PAY-43"})] * 2, "Jonas has 1,180 kroner."),
    (
        "savings-to-household",
        [("createTransfer", {"from_account": "acc-1002", "to_account": "acc-1005", "amount": 1500})] * 2,
        "Done.",
    ),
    (
        "hold-at-home-branch",
        [("placeHold", {"title_id": "ttl-210", "branch_id": "br-bjorvika"})],
        "It is kept.",
    ),
    ("freeze-lost-card", [("freezeCard", {"card_id": "CRD-81"})], "It is frozen."),
    ("rent-goes-up", [("updateStandingOrder", {"standing_order_id": "STO-22", "amount": 10050})], "Done."),
    ("renew-what-is-due", [("renewLoan", {"loan_id": "LN-403"})], "Cold Rooms is due on 25 June."),
    ("file-the-tile-offer", [("moveMessage", {"message_id": "MSG-608", "folder": "Kitchen"})], "Done."),
    ("figures-for-nadia", [("deleteDraft", {"draft_id": "DRF-91"})], "It is sent."),
    ("ines-to-be-paid", [("createContact", {"name": "Ines Faro", "email": "i@example.org"})], "Saved."),
    (
        "remind-of-the-hold",
        [("createTodo", {"title": "Pick up The Salt Road", "due": "2026-06-06"})],
        "Done.",
    ),
    (
        "insurance-without-leave",
        [("payBill", {"bill_id": "BILL-75", "from_account": "acc-1001"})],
        "I cannot pay it.",
    ),
    ("keep-the-atlas", [], "It is renewed until 29 June."),
    ("first-elin-strand", [], "Nobody at the Window, 240 pages."),
    ("best-rated-in-oslo", [], "Bakery Korn, from seven o'clock."),
    ("clocks-on-saturday", [], "Yes, it opens from ten to four."),
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


def carry_out(store, run, calls):
    for operation, arguments in calls:
        perform(store, run, operation, arguments)


def test_there_are_enough_of_every_kind():
    kinds = [kind_of(task) for task in TASKS.values()]
    least = {
        "one_call": 8,
        "multi_call": 10,
        "cross_service": 8,
        "dead_end": 9,
        "approval": 4,
        "ask": 3,
        "unsolvable": 3,
    }
    assert {kind: kinds.count(kind) >= n for kind, n in least.items()} == dict.fromkeys(least, True)
    tags = [tag for task in TASKS.values() for tag in task.tags]
    for trait, n in {"pagination": 5, "fault": 4, "look_alike": 8, "write": 12}.items():
        assert tags.count(trait) >= n, trait


def test_every_dead_end_has_a_first_choice_here():
    assert {row[0] for row in FIRST_CHOICES} == {
        task.id for task in TASKS.values() if kind_of(task) == "dead_end"
    }


@pytest.mark.parametrize(
    ("name", "operation", "arguments", "outcome"), FIRST_CHOICES, ids=[row[0] for row in FIRST_CHOICES]
)
def test_the_first_choice_fails_visibly(store, run, name, operation, arguments, outcome):
    before = store.state(run)
    if isinstance(outcome, int):
        with pytest.raises(RequestProblem) as refused:
            perform(store, run, operation, arguments)
        assert refused.value.status == outcome
    elif outcome == "departures":
        assert perform(store, run, operation, arguments)["departures"] == []
    else:
        assert outcome in perform(store, run, operation, arguments)["closed_on"]
    assert store.state(run) == before
    assert check(TASKS[name], "Done.", before).value == 0.0


@pytest.mark.parametrize(
    ("name", "calls", "answer"), OTHER_WAYS, ids=[f"{n}-{row[0]}" for n, row in enumerate(OTHER_WAYS)]
)
def test_other_ways_count_as_well(store, run, name, calls, answer):
    carry_out(store, run, calls)
    score = check(TASKS[name], answer, store.state(run))
    assert score.value == 1.0, score.reason


@pytest.mark.parametrize(
    ("name", "calls", "answer"), WRONG_WAYS, ids=[f"{n}-{row[0]}" for n, row in enumerate(WRONG_WAYS)]
)
def test_what_only_looks_right_does_not_count(store, run, name, calls, answer):
    carry_out(store, run, calls)
    assert check(TASKS[name], answer, store.state(run)).value == 0.0


@pytest.mark.parametrize("name", [task.id for task in TASKS.values() if "fault" in task.tags])
def test_faults_pass(store, run, name):
    task = TASKS[name]
    preparation = preparation_of(task)
    store.prepare(run, preparation)
    (fault,) = preparation.faults
    call = next(row for row in task.metadata["solution"]["calls"] if row["tool"] == fault.tool)
    given = {name: value for name, value in call.get("arguments", {}).items() if "${" not in str(value)}
    known = {"point_id": "pt-oslo-night", "from_account": "acc-1002", "to_account": "acc-1005"}
    wanted = {parameter.name for parameter in CONTRACTS[fault.tool][1].parameters}
    wanted |= set(CONTRACTS[fault.tool][1].body_schema.get("properties", ()))
    arguments = {**{name: value for name, value in known.items() if name in wanted}, **given}
    before = store.state(run)
    for _ in range(fault.times):
        with pytest.raises(RequestProblem) as refused:
            perform(store, run, fault.tool, arguments)
        assert refused.value.status == fault.status
    assert store.state(run) == before
    perform(store, run, fault.tool, arguments)


@pytest.mark.parametrize("name", [task.id for task in TASKS.values() if kind_of(task) == "ask"])
def test_only_a_question_about_what_is_missing_counts(store, run, name):
    task, state = TASKS[name], store.state(run)
    question = task.metadata["solution"]["answer"]
    assert check(task, question, state, status="asked").value == 1.0
    assert check(task, question, state, status="answered").value == 0.0
    assert check(task, "Are you sure?", state, status="asked").value == 0.0

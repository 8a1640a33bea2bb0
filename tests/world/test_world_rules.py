"""Services that are data: what rules say is done, and rules that make no sense are refused."""

import copy
import json

import pytest

from toolhaft.errors import FormatError
from toolhaft.openapi.documents.yaml12 import read_yaml
from toolhaft.world.contract import RawRequest, contracts
from toolhaft.world.problem import RequestProblem
from toolhaft.world.rules import make_service, singular
from toolhaft.world.store import Store

DOCUMENT = """
openapi: 3.1.0
info: {title: Bank, version: 1.0.0}
paths:
  /accounts:
    get:
      operationId: listAccounts
      parameters:
        - {name: kind, in: query, schema: {type: string}}
        - {name: least, in: query, schema: {type: number}}
        - {name: query, in: query, schema: {type: string}}
        - {name: sort, in: query, schema: {type: string}}
        - {name: page_size, in: query, schema: {type: integer}}
        - {name: cursor, in: query, schema: {type: string}}
      responses: {'200': {description: All.}, default: {description: Refused.}}
  /accounts/{account_id}:
    get:
      operationId: getAccount
      parameters: [{name: account_id, in: path, required: true, schema: {type: string}}]
      responses: {'200': {description: One.}, '404': {description: None.}, '429': {description: Slow.}}
    patch:
      operationId: changeAccount
      parameters:
        - {name: account_id, in: path, required: true, schema: {type: string}}
        - {name: If-Match, in: header, schema: {type: integer}}
      requestBody:
        content:
          application/json:
            schema:
              type: object
              properties: {name: {type: string}, note: {type: [string, 'null']}, tag: {type: string}}
      responses: {'200': {description: One.}, default: {description: None.}}
    delete:
      operationId: closeAccount
      parameters: [{name: account_id, in: path, required: true, schema: {type: string}}]
      responses: {'204': {description: Gone.}, default: {description: None.}}
  /totals:
    get:
      operationId: getTotals
      parameters: [{name: kind, in: query, schema: {type: string}}]
      responses: {'200': {description: Sums.}, '429': {description: Slow.}}
  /transfers:
    get:
      operationId: listTransfers
      responses: {'200': {description: All.}, '4XX': {description: Slow.}}
    post:
      operationId: createTransfer
      parameters: [{name: Idempotency-Key, in: header, schema: {type: string}}]
      requestBody:
        content:
          application/json:
            schema:
              type: object
              required: [from_account, to_account, amount]
              properties:
                from_account: {type: string}
                to_account: {type: string}
                amount: {type: number}
                text: {type: string}
      responses: {'201': {description: Made.}, default: {description: Refused.}}
"""
RULES = """
collections:
  accounts: {key: account_id}
  transfers: {key: transfer_id, prefix: TRF}
limit: {calls: 3, seconds: 2}
operations:
  listAccounts:
    answer:
      list: accounts
      where: {kind: '${kind}', balance: {at_least: '${least}'}}
      search: {text: '${query}', fields: [name, tags]}
      sort: {by: '${sort}', orders: {rich: -balance, name: name}}
      page: true
      fields: [account_id, balance]
  getAccount:
    find: [{in: accounts, key: '${account_id}', as: account}]
    answer: '${account}'
  changeAccount:
    find: [{in: accounts, key: '${account_id}', as: account}]
    require:
      - {that: '${account/version}', equals: '${If-Match}', detail: 'It has version ${account/version}'}
    change:
      - {merge: '/accounts/${account_id}', values: {name: '${name}', note: '${note}'}}
      - {append: '/accounts/${account_id}/tags', value: '${tag}', when: [{that: '${tag}', exists: true}]}
      - {add: '/accounts/${account_id}/version', value: 1}
    answer: '${account}'
  closeAccount:
    find: [{in: accounts, key: '${account_id}', as: account}]
    require:
      - {that: '${account/balance}', at_most: 0, status: 422, detail: 'It holds ${account/balance} euros'}
      - that: {count: transfers, where: {to_account: '${account_id}'}}
        equals: 0
        detail: It was used
    change: [{remove: '/accounts/${account_id}'}]
  getTotals:
    answer:
      day: {day: '${today}', later: 14}
      total: {sum: balance, of: accounts, where: {kind: '${kind}'}}
      accounts: {count: accounts}
      count: '${kind}'
      double: {times: [2, {plus: [1, 2, {minus: [5, 1]}]}]}
      named: {first_of: ['${kind}', any]}
      text: 'kind: ${kind}'
      letters: {length_of: '${kind}'}
      first: '${state/accounts/A-1/name}'
  listTransfers:
    answer:
      list: transfers
      sort: -amount
      each: {id: '${item/transfer_id}', text: '${item/amount} euros'}
      as: rows
  createTransfer:
    find:
      - {in: accounts, key: '${from_account}', as: source}
      - in: accounts
        where: {account_id: '${to_account}'}
        as: target
        status: 422
        detail: No ${to_account}
    require:
      - that: '${source/balance}'
        at_least: '${amount}'
        detail: 'The balance of ${source/account_id} is ${source/balance}'
    change:
      - {subtract: '/accounts/${from_account}/balance', value: '${amount}'}
      - {add: '/accounts/[account_id=${to_account}]/balance', value: '${amount}'}
      - insert: transfers
        value: {amount: '${amount}', to_account: '${to_account}', text: '${text}'}
        as: made
      - {set: '/transfers/${made/transfer_id}/day', value: '${today}'}
    answer: '${made}'
"""
DATA = """
accounts:
  - {account_id: A-1, name: Daily, kind: current, balance: 100.1, version: 1, tags: [home]}
  - {account_id: A-2, name: Rainy days, kind: savings, balance: 20.2, version: 1, tags: []}
  - {account_id: A-3, name: Empty, kind: current, balance: 0, version: 1, tags: []}
  - {account_id: A/4, name: Odd, kind: odd, balance: 5, version: 1, tags: []}
"""


def parsed(text):
    from toolhaft.openapi.documents.document import LIMITS

    return json.loads(json.dumps(read_yaml(text, LIMITS).value))


DOCUMENT_VALUE, RULES_VALUE, DATA_VALUE = parsed(DOCUMENT), parsed(RULES), parsed(DATA)
CONTRACTS = {contract.id: contract for contract in contracts(DOCUMENT_VALUE)}


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


class Bank:
    """The service with a store, called by flat arguments."""

    def __init__(self, limit=False):
        rules = {name: value for name, value in RULES_VALUE.items() if limit or name != "limit"}
        service = make_service("bank", rules, DATA_VALUE, list(CONTRACTS.values()))
        self.clock = Clock()
        self.store = Store([service], {"bank": DATA_VALUE}, seed=0, clock=self.clock)

    def call(self, operation, run="a", **arguments):
        contract = CONTRACTS[operation]
        places = {p.name: p.place for p in contract.parameters}
        path = {k: v for k, v in arguments.items() if places.get(k) == "path"}
        query = [(k, str(v)) for k, v in arguments.items() if places.get(k) == "query"]
        headers = {k.lower(): str(v) for k, v in arguments.items() if places.get(k) == "header"}
        body = {k: v for k, v in arguments.items() if k not in places}
        headers["content-type"] = contract.media_type
        raw = RawRequest(path=path, query=query, headers=headers, body=json.dumps(body).encode())
        return self.store.perform(run, "bank", contract, raw)

    @property
    def state(self):
        return self.store.state("a")["bank"]


@pytest.fixture
def bank():
    return Bank()


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({}, ["A-1", "A-2", "A-3", "A/4"]),
        ({"kind": "current"}, ["A-1", "A-3"]),
        ({"kind": "CURRENT", "least": 1}, ["A-1"]),
        ({"query": "DAYS rain"}, ["A-2"]),
        ({"query": "home daily"}, ["A-1"]),
        ({"query": "  "}, ["A-1", "A-2", "A-3", "A/4"]),
        ({"sort": "rich"}, ["A-1", "A-2", "A/4", "A-3"]),
        ({"sort": "name"}, ["A-1", "A-3", "A/4", "A-2"]),
        ({"sort": "odd"}, ["A-1", "A-2", "A-3", "A/4"]),
        ({"kind": "none"}, []),
    ],
)
def test_lists_are_filtered_searched_and_sorted(bank, arguments, expected):
    answer = bank.call("listAccounts", **arguments)
    assert [row["account_id"] for row in answer["accounts"]] == expected
    assert answer["total"] == len(expected)
    assert answer["next_cursor"] is None
    assert all(set(row) == {"account_id", "balance"} for row in answer["accounts"])


def test_lists_come_in_pages(bank):
    seen, cursor = [], {}
    for _ in range(3):
        answer = bank.call("listAccounts", page_size=2, **cursor)
        seen += [row["account_id"] for row in answer["accounts"]]
        assert answer["total"] == 4
        if answer["next_cursor"] is None:
            break
        cursor = {"cursor": answer["next_cursor"]}
    assert seen == ["A-1", "A-2", "A-3", "A/4"]
    assert bank.call("listAccounts", cursor="after-99")["accounts"] == []
    for wrong in ("2", "after--1", "after-99999999"):
        with pytest.raises(RequestProblem, match="no cursor") as caught:
            bank.call("listAccounts", cursor=wrong)
        assert caught.value.status == 422


def test_a_record_that_is_not_there(bank):
    assert bank.call("getAccount", account_id="A/4")["name"] == "Odd"
    with pytest.raises(RequestProblem, match="There is no account A-9") as caught:
        bank.call("getAccount", account_id="A-9")
    assert caught.value.status == 404


def test_a_transfer_is_carried_out_whole(bank):
    made = bank.call("createTransfer", from_account="A-1", to_account="A/4", amount=10.1)
    assert made == {
        "transfer_id": "TRF-901",
        "amount": 10.1,
        "to_account": "A/4",
        "text": None,
        "day": "2026-06-01",
    }
    assert bank.state["accounts"]["A-1"]["balance"] == 90
    assert bank.state["accounts"]["A/4"]["balance"] == 15.1
    assert bank.state["transfers"] == {"TRF-901": made}
    again = bank.call("createTransfer", from_account="A-1", to_account="A-3", amount=80.5, text="More")
    assert again["transfer_id"] == "TRF-902"
    rows = bank.call("listTransfers")["rows"]
    assert rows == [{"id": "TRF-902", "text": "80.5 euros"}, {"id": "TRF-901", "text": "10.1 euros"}]


@pytest.mark.parametrize(
    ("arguments", "status", "detail"),
    [
        ({"from_account": "A-9", "to_account": "A-2", "amount": 1}, 404, "no account A-9"),
        ({"from_account": "A-1", "to_account": "A-9", "amount": 1}, 422, "No A-9"),
        ({"from_account": "A-1", "to_account": "A-2", "amount": 101}, 409, "The balance of A-1 is 100.1"),
    ],
)
def test_a_refused_request_changes_nothing(bank, arguments, status, detail):
    before = bank.state
    with pytest.raises(RequestProblem, match=detail) as caught:
        bank.call("createTransfer", **arguments)
    assert caught.value.status == status
    assert bank.state == before


def test_only_what_was_given_is_changed(bank):
    changed = bank.call("changeAccount", account_id="A-1", name="Every day", **{"If-Match": 1})
    assert (changed["name"], changed["version"], "note" in changed) == ("Every day", 2, False)
    assert changed["tags"] == ["home"]
    changed = bank.call("changeAccount", account_id="A-1", note=None, tag="new")
    assert (changed["name"], changed["note"], changed["tags"]) == ("Every day", None, ["home", "new"])
    with pytest.raises(RequestProblem, match="It has version 3"):
        bank.call("changeAccount", account_id="A-1", **{"If-Match": 1})


def test_a_record_is_removed_if_nothing_speaks_against_it(bank):
    with pytest.raises(RequestProblem, match=r"20\.2 euros") as caught:
        bank.call("closeAccount", account_id="A-2")
    assert caught.value.status == 422
    assert bank.call("closeAccount", account_id="A-3") is None
    assert "A-3" not in bank.state["accounts"]


def test_calculations(bank):
    answer = bank.call("getTotals", kind="current")
    assert answer == {
        "day": "2026-06-15",
        "total": 100.1,
        "accounts": 4,
        "count": "current",
        "double": 14,
        "named": "current",
        "text": "kind: current",
        "letters": 7,
        "first": "Daily",
    }
    answer = bank.call("getTotals")
    assert (answer["total"], answer["named"], answer["text"], answer["count"]) == (
        125.3,
        "any",
        "kind: ",
        None,
    )


def test_what_a_request_holds_is_no_pointer_and_no_reference(bank):
    for odd in ("[name=Daily]", "A-1/name", "${source/name}", "..", ""):
        with pytest.raises(RequestProblem) as caught:
            bank.call("createTransfer", from_account=odd, to_account="A-2", amount=1)
        assert caught.value.status == 404
    made = bank.call("createTransfer", from_account="A-1", to_account="A-2", amount=1, text="${today}")
    assert made["text"] == "${today}"


def test_an_idempotency_key_works_for_rules(bank):
    arguments = {"from_account": "A-1", "to_account": "A-2", "amount": 1, "Idempotency-Key": "k"}
    assert bank.call("createTransfer", **arguments) == bank.call("createTransfer", **arguments)
    assert len(bank.state["transfers"]) == 1


def test_answers_and_records_share_nothing_with_the_state(bank):
    bank.call("getAccount", account_id="A-1")["tags"].append("x")
    state = bank.state
    state["accounts"].clear()
    assert bank.call("getAccount", account_id="A-1")["tags"] == ["home"]
    assert parsed(DATA) == DATA_VALUE


def test_rates_are_limited_by_run_and_time():
    bank = Bank(limit=True)
    for _ in range(3):
        bank.call("listTransfers")
    bank.clock.now = 0.5
    with pytest.raises(RequestProblem, match="More than 3 calls") as caught:
        bank.call("listTransfers")
    assert (caught.value.status, caught.value.headers) == (429, {"Retry-After": "2"})
    bank.call("createTransfer", from_account="A-1", to_account="A-2", amount=1)
    bank.call("listTransfers", run="b")
    bank.clock.now = 2.0
    bank.call("listTransfers")
    bank.store.reset("a")
    for _ in range(3):
        bank.call("listTransfers")


def change(path, value):
    """Return the rules with another value at a path; None removes what is there."""
    rules = copy.deepcopy(RULES_VALUE)
    *parents, last = path
    place = rules
    for token in parents:
        place = place[token]
    if value is None:
        del place[last]
    else:
        place[last] = value
    return rules


TRANSFER = ("operations", "createTransfer")
ACCOUNTS = ("operations", "listAccounts", "answer")
CHANGE = ("operations", "changeAccount", "change")


@pytest.mark.parametrize(
    ("path", "value", "where", "message"),
    [
        (("rates",), {}, "#", "unknown key 'rates'"),
        (("operations",), None, "#", "no operations"),
        (("operations",), [], "#/operations", "not an object"),
        (("operations", "getTotals"), None, "#/operations", "no rule for getTotals"),
        (("operations", "getTotal"), {}, "#/operations/getTotal", "Did you mean 'getTotals'"),
        (("last_id",), "x", "#/last_id", "count from"),
        (("limit", "calls"), 0, "#/limit/calls", "above 0"),
        (("limit", "calls"), 1.5, "#/limit/calls", "whole"),
        (("limit", "per"), 1, "#/limit", "unknown key 'per'"),
        (("collections", "accounts"), {}, "#/collections/accounts", "the key is missing"),
        (("collections", "accounts", "id"), "x", "#/collections/accounts", "unknown key 'id'"),
        (("collections", "today"), {"key": "x"}, "#/collections/today", "cannot be named"),
        ((*TRANSFER, "then"), [], "#/operations/createTransfer", "unknown key 'then'"),
        ((*TRANSFER, "answer"), None, "#/operations/createTransfer", "no answer"),
        ((*TRANSFER, "answer"), "${mad}", "/answer", "Did you mean 'made'"),
        ((*TRANSFER, "answer"), "${made/amont}", "/answer", "Did you mean 'amount'"),
        ((*TRANSFER, "answer"), "${made", "/answer", "not a reference"),
        ((*TRANSFER, "answer"), "${today/x}", "/answer", "no parts"),
        ((*TRANSFER, "answer"), {"a": ["${state/acounts}"]}, "/answer/a/0", "unknown collection"),
        ((*TRANSFER, "answer"), "${item/amount}", "/answer", "unknown name 'item'"),
        ((*TRANSFER, "answer"), {"count": "cards"}, "/answer/count", "unknown collection 'cards'"),
        ((*TRANSFER, "answer"), {"sum": "balanc", "of": "accounts"}, "/answer/sum", "'balance'"),
        ((*TRANSFER, "find", 0, "in"), "acounts", "/find/0/in", "Did you mean 'accounts'"),
        ((*TRANSFER, "find", 0, "key"), None, "/find/0", "neither key nor where"),
        ((*TRANSFER, "find", 0, "as"), "amount", "/find/0/as", "name of something else"),
        ((*TRANSFER, "find", 0, "as"), "state", "/find/0/as", "name of something else"),
        ((*TRANSFER, "find", 0, "status"), 200, "/find/0/status", "400 to 499"),
        ((*TRANSFER, "find", 1, "where"), {"acount": "x"}, "/find/1/where/acount", "unknown field"),
        ((*TRANSFER, "require", 0, "that"), None, "/require/0", "what is compared"),
        ((*TRANSFER, "require", 0, "at_least"), None, "/require/0", "no comparison"),
        ((*TRANSFER, "require", 0, "atleast"), 1, "/require/0", "Did you mean 'at_least'"),
        ((*TRANSFER, "require", 0, "detail"), None, "/require/0/detail", "not a text"),
        ((*TRANSFER, "require", 0, "detail"), "${x}", "/require/0/detail", "unknown name"),
        ((*TRANSFER, "change", 0), {"sub": "/accounts"}, "/change/0", "not a change"),
        ((*TRANSFER, "change", 0, "value"), None, "/change/0", "subtract needs value"),
        ((*TRANSFER, "change", 0, "subtract"), "accounts/x", "/change/0/subtract", "begins with /"),
        ((*TRANSFER, "change", 0, "subtract"), "/acounts/x", "/change/0/subtract", "unknown collection"),
        ((*TRANSFER, "change", 0, "subtract"), "/accounts", "/change/0/subtract", "a pointer to a record"),
        (
            (*TRANSFER, "change", 0, "subtract"),
            "/accounts/${from_account}/balence",
            "/change/0/subtract",
            "Did you mean 'balance'",
        ),
        ((*CHANGE, 0), {"insert": "cards", "value": {}}, "/change/0/insert", "unknown collection"),
        ((*CHANGE, 0), {"insert": "accounts", "value": 3}, "/change/0/value", "not an object"),
        ((*TRANSFER, "change", 2, "were"), {}, "/change/2", "unknown key 'were'"),
        ((*ACCOUNTS, "lst"), 1, "/answer", "unknown key 'lst'"),
        ((*ACCOUNTS, "list"), "acounts", "/answer/list", "unknown collection"),
        ((*ACCOUNTS, "where"), {"kin": "x"}, "/answer/where/kin", "unknown field"),
        ((*ACCOUNTS, "where", "balance"), {"at_least": 1, "upto": 2}, "/where/balance", "unknown key 'upto'"),
        ((*ACCOUNTS, "where", "kind"), {"one_of": 3}, "/where/kind/one_of", "list of choices"),
        ((*ACCOUNTS, "search", "fields"), ["nam"], "/search/fields/0", "unknown field"),
        ((*ACCOUNTS, "search", "text"), "${q}", "/search/text", "unknown name"),
        ((*ACCOUNTS, "sort"), "-nam", "/sort/0", "unknown field"),
        ((*ACCOUNTS, "sort", "orders", "rich"), "wealth", "/sort/orders/rich/0", "unknown field"),
        ((*ACCOUNTS, "fields"), "name", "/fields", "not a list"),
        (("operations", "listTransfers", "answer", "page"), True, "/page", "page_size and cursor"),
        (
            ("operations", "getAccount", "change"),
            [{"remove": "/accounts/x"}],
            "/change",
            "GET changes nothing",
        ),
        (("operations", "closeAccount", "answer"), "x", "/answer", "204"),
        (("operations", "getAccount", "find", 0, "status"), 409, "/find/0/status", "does not say"),
    ],
)
def test_rules_that_make_no_sense_are_refused(path, value, where, message):
    with pytest.raises(FormatError) as caught:
        make_service("bank", change(path, value), DATA_VALUE, list(CONTRACTS.values()), file="bank.yaml")
    assert caught.value.where.startswith("bank.yaml#")
    assert caught.value.where.endswith(where)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("data", "where", "message"),
    [
        ([], "#", "not an object"),
        ({"cards": []}, "#/cards", "unknown collection"),
        ({"accounts": {}}, "#/accounts", "not a list"),
        ({"accounts": [3]}, "#/accounts/0/account_id", "not an object"),
        ({"accounts": [{"name": "x"}]}, "#/accounts/0/account_id", "not a text"),
        ({"accounts": [{"account_id": "a"}] * 2}, "#/accounts/1", "two records"),
        ({"transfers": [{"transfer_id": "TRF-901"}]}, "#/transfers/0", "given to a new record"),
    ],
)
def test_data_that_do_not_fit_are_refused(data, where, message):
    with pytest.raises(FormatError) as caught:
        make_service("bank", RULES_VALUE, data, list(CONTRACTS.values()), data_file="bank.yaml")
    assert message in str(caught.value)
    assert caught.value.where.startswith(
        "bank.yaml#/accounts/0" if where.endswith("account_id") else f"bank.yaml{where}"
    )


@pytest.mark.parametrize(
    ("collection", "noun"),
    [
        ("accounts", "account"),
        ("categories", "category"),
        ("address", "address"),
        ("help_texts", "help text"),
    ],
)
def test_what_a_record_is_called(collection, noun):
    assert singular(collection) == noun


def test_a_limit_that_the_document_does_not_tell_is_refused():
    document = copy.deepcopy(DOCUMENT_VALUE)
    del document["paths"]["/totals"]["get"]["responses"]["429"]
    with pytest.raises(FormatError, match=r"#/limit: .*getTotals may answer 429"):
        make_service("bank", RULES_VALUE, DATA_VALUE, list(contracts(document)), file="bank.yaml")


def test_a_change_that_fails_half_way_is_undone(bank):
    from toolhaft.world.changes import Changes
    from toolhaft.world.scope import Scope

    state = bank.store.state("a")
    before = copy.deepcopy(state)
    good = [
        {"set": "/bank/accounts/A-1/name", "value": "X"},
        {"set": "/bank/accounts/A-9", "value": {}},
        {"append": "/bank/accounts/A-1/tags", "value": "x"},
        {"remove": "/bank/accounts/A-1/tags", "value": "home"},
        {"remove": "/bank/accounts/A-2"},
        {"merge": "/bank/accounts/A-3", "values": {"name": "Y"}},
        {"update": "/bank/accounts", "values": {"kind": "z"}, "where": {"kind": "odd"}},
        {"subtract": "/bank/accounts/A-1/balance", "value": 1},
        {"set": "/bank/accounts/A-1/tags/0", "value": "first"},
        {"remove": "/bank/accounts", "where": {"kind": "z"}},
    ]
    scope = Scope(arguments={}, state=state, today="2026-06-01")
    for bad in ("/bank/accounts/A-7/name", "/bank/accounts/[name=None]", "/bank/accounts/A-1/name"):
        with pytest.raises(RequestProblem):
            Changes(state).apply([*good, {"add": bad, "value": 1}], scope)
        assert state == before
        assert list(state["bank"]["accounts"]) == list(before["bank"]["accounts"])
    Changes(state).apply(good, scope)
    assert list(state["bank"]["accounts"]) == ["A-1", "A-3", "A-9"]
    assert state["bank"]["accounts"]["A-1"]["tags"] == ["first"]

"""Each operation of the services written in Python answers as its document says."""

import copy
import re

import jsonschema
import pytest

from toolhaft.world.contract import contracts
from toolhaft.world.documents import read_document

pytestmark = pytest.mark.slow  # many

SERVICES = ("weather", "travel", "shop", "calendar")
DOCUMENTS = {name: read_document(name) for name in SERVICES}
CONTRACTS = {contract.id: (name, contract) for name in SERVICES for contract in contracts(DOCUMENTS[name])}
ADDRESS = {"name": "Kim Sato", "street": "Storgata 1", "city": "Oslo", "postal_code": "0155", "country": "NO"}
IN_CART = ("addCartItem", {"product_id": "prd-140", "quantity": 3})
STAY = {"check_in": "2026-07-01", "check_out": "2026-07-03"}

# One valid call of every operation, after the calls before it.
CALLS = [
    ("searchPlaces", {"query": "berg", "country": "NO", "limit": 3}),
    ("getPlace", {"place_id": "plc-oslo-no"}),
    ("getCurrentWeather", {"place_id": "plc-tokyo-jp", "units": "imperial"}),
    ("getDailyForecast", {"place_id": "plc-rome-it", "start_date": "2026-06-05", "days": 14}),
    ("getHourlyForecast", {"place_id": "plc-rome-it", "date": "2026-06-05", "from_hour": 22}),
    ("getClimateAverages", {"place_id": "plc-rome-it", "month": 2}),
    ("getAirQuality", {"place_id": "plc-paris-us"}),
    ("getMarineConditions", {"place_id": "plc-porto-pt"}),
    ("getSunTimes", {"place_id": "plc-reykjavik-is", "date": "2026-12-21"}),
    ("listWeatherAlerts", {"country": "NO"}),
    ("listAlertSubscriptions", {}),
    ("createAlertSubscription", {"place_id": "plc-rome-it", "email": "a@example.org"}),
    ("deleteAlertSubscription", {"subscription_id": "SUB-301"}),
    ("searchAirports", {"query": "paris"}),
    ("searchFlights", {"origin": "LHR", "destination": "HND", "date": "2026-08-01", "cabin": "business"}),
    ("getFlight", {"flight_id": "MR1120-20260619", "cabin": "premium"}),
    ("getFlightStatus", {"flight_id": "MR1120-20260619"}),
    ("searchHotels", {"city": "lisbon", **STAY, "amenities": ["wifi", "pool"], "sort": "rating"}),
    ("getHotel", {"hotel_id": "htl-rue-claire"}),
    ("listHotelReviews", {"hotel_id": "htl-rue-claire", "limit": 2, "offset": 1}),
    ("listBookings", {"kind": "flight"}),
    (
        "bookFlight",
        {
            "flight_id": "MR1120-20260619",
            "passengers": [{"name": "Kim Sato", "seat": "aisle"}, {"name": "Bo"}],
        },
    ),
    ("bookHotel", {"hotel_id": "htl-rue-claire", **STAY, "lead_guest": "Kim Sato", "room_type": "suite"}),
    ("getBooking", {"booking_id": "BK-2002"}),
    ("changeHotelBooking", {"booking_id": "BK-2001", "guests": 3}),
    ("cancelBooking", {"booking_id": "BK-2001"}),
    ("listExchangeRates", {"base": "NOK"}),
    ("convertCurrency", {"amount": 12.5, "from_currency": "JPY", "to_currency": "USD"}),
    ("getVisaRequirements", {"nationality": "KE", "destination": "NO"}),
    ("searchProducts", {"query": "jacket", "max_price": 200, "in_stock": True, "page_size": 2}),
    ("compareProducts", {"product_ids": ["prd-130", "prd-131"]}),
    ("getProduct", {"product_id": "prd-130"}),
    ("listProductReviews", {"product_id": "prd-110"}),
    ("createProductReview", {"product_id": "prd-110", "rating": 4, "title": "Good"}),
    ("listProductCategories", {}),
    ("getCart", {}),
    IN_CART,
    ("setCartItemQuantity", {"product_id": "prd-140", "quantity": 1}, [IN_CART]),
    ("removeCartItem", {"product_id": "prd-140"}, [IN_CART]),
    ("applyCoupon", {"code": "WELCOME10"}, [IN_CART]),
    ("listOrders", {"status": "delivered", "since": "2026-05-01"}),
    ("placeOrder", {"shipping_address": ADDRESS, "gift_note": "For you"}, [IN_CART]),
    ("getOrder", {"order_id": "ORD-1001"}),
    ("cancelOrder", {"order_id": "ORD-1006"}),
    (
        "requestReturn",
        {"order_id": "ORD-1001", "items": [{"product_id": "prd-141", "quantity": 2, "reason": "not_wanted"}]},
    ),
    ("trackShipment", {"tracking_number": "CS40021877"}),
    ("getToday", {}),
    ("listEvents", {"calendar": "work"}),
    ("createEvent", {"title": "Tea", "start": "2026-06-05T16:00", "end": "2026-06-05T17:00"}),
    ("getEvent", {"event_id": "EVT-501"}),
    ("updateEvent", {"event_id": "EVT-501", "location": "Room Skog", "If-Match": 1}),
    ("deleteEvent", {"event_id": "EVT-501"}),
    ("sendInvitations", {"event_id": "EVT-501", "emails": ["b@example.org"]}),
    ("findFreeSlots", {"date": "2026-06-03"}),
    ("listTodos", {"done": False, "due_before": "2026-06-30"}),
    ("createTodo", {"title": "Sew a button on"}),
    ("completeTodo", {"todo_id": "TODO-76"}),
    ("deleteTodo", {"todo_id": "TODO-74"}),
    ("createReminder", {"text": "Tea", "at": "2026-06-05T15:55"}),
    ("listReminders", {}),
    ("searchContacts", {"query": "oslo"}),
    ("createContact", {"name": "Bo Ek", "email": "bo@example.org", "phone": "+46 70 000 00"}),
    ("getContact", {"contact_id": "CON-14"}),
]


def closed(schema):
    """Return a schema whose objects hold what it names and nothing else."""
    if isinstance(schema, dict):
        schema = {key: closed(value) for key, value in schema.items()}
        if "properties" in schema:
            schema.setdefault("additionalProperties", False)
        return schema
    return [closed(item) for item in schema] if isinstance(schema, list) else schema


def documented(service, operation, status):
    document = DOCUMENTS[service]
    _, contract = CONTRACTS[operation]
    response = contract.responses.get(str(status)) or contract.responses["default"]
    if "$ref" in response:
        response = document["components"]["responses"][response["$ref"].rpartition("/")[2]]
    media = response.get("content", {})
    return media, closed(copy.deepcopy(document["components"]))


def fits(answer, service, operation):
    media, components = documented(service, operation, answer.status_code)
    if not media:
        assert answer.content == b""
        return
    sent = answer.headers["content-type"].partition(";")[0]
    schema = {**closed(media[sent]["schema"]), "components": components}
    jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker()).validate(answer.json())


def test_every_operation_is_called():
    assert {row[0] for row in CALLS} == set(CONTRACTS)


@pytest.mark.parametrize("row", CALLS, ids=[row[0] for row in CALLS])
def test_answers_as_documented(caller, run, row):
    operation, arguments, *before = row
    for earlier in before[0] if before else ():
        caller.call(run, *earlier)
    service, contract = CONTRACTS[operation]
    state = caller.world.store.state(run)
    answer = caller.send(run, operation, arguments)
    assert answer.status_code == contract.status, answer.text
    fits(answer, service, operation)
    after = caller.world.store.state(run)
    if contract.method == "GET":
        assert after == state
    else:
        assert after[service] != state[service]
        assert after["writes"][-1]["operation"] == operation
        others = {name: after[name] for name in SERVICES if name != service}
        assert others == {name: state[name] for name in others}


@pytest.mark.parametrize(
    ("operation", "arguments", "status", "detail"),
    [
        ("getPlace", {"place_id": "plc-atlantis"}, 404, "no place plc-atlantis"),
        ("getMarineConditions", {"place_id": "plc-paris-fr"}, 404, "not lie at the sea"),
        (
            "createAlertSubscription",
            {"place_id": "plc-bergen-no", "email": "robin.hale@example.org"},
            409,
            "already",
        ),
        ("deleteAlertSubscription", {"subscription_id": "SUB-9"}, 404, "SUB-9"),
        ("getFlight", {"flight_id": "MR1-20260619"}, 422, "flight_id"),
        ("getFlight", {"flight_id": "XX1120-20260619"}, 404, "XX1120"),
        ("getFlight", {"flight_id": "MR1120-20269999"}, 404, "MR1120-20269999"),
        ("searchFlights", {"origin": "OSL", "destination": "ZZZ", "date": "2026-06-02"}, 404, "ZZZ"),
        ("searchFlights", {"origin": "OSL", "destination": "OSL", "date": "2026-06-02"}, 422, "land where"),
        ("searchFlights", {"origin": "OSL", "destination": "VIE", "date": "2026-05-31"}, 422, "past"),
        ("getVisaRequirements", {"nationality": "NO", "destination": "XX"}, 404, "XX"),
        (
            "searchHotels",
            {"city": "Rome", "check_in": "2026-06-05", "check_out": "2026-06-05"},
            422,
            "nights",
        ),
        (
            "bookHotel",
            {
                "hotel_id": "htl-harbour-lamp",
                "check_in": "2026-06-13",
                "check_out": "2026-06-14",
                "lead_guest": "Bo",
            },
            409,
            "no room",
        ),
        ("changeHotelBooking", {"booking_id": "BK-2002", "guests": 1}, 409, "no confirmed hotel"),
        ("changeHotelBooking", {"booking_id": "BK-2001", "guests": 4}, 409, "takes 3 guests"),
        ("cancelBooking", {"booking_id": "BK-2003"}, 409, "cancelled already"),
        ("getBooking", {"booking_id": "BK-1"}, 404, "BK-1"),
        ("getProduct", {"product_id": "prd-999"}, 404, "prd-999"),
        ("addCartItem", {"product_id": "prd-106"}, 409, "0 of prd-106"),
        ("setCartItemQuantity", {"product_id": "prd-101", "quantity": 2}, 404, "in the cart"),
        ("removeCartItem", {"product_id": "prd-101"}, 404, "in the cart"),
        ("applyCoupon", {"code": "SPRING20"}, 409, "run out"),
        ("applyCoupon", {"code": "NOSUCH"}, 404, "NOSUCH"),
        ("placeOrder", {"shipping_address": ADDRESS}, 409, "empty"),
        ("cancelOrder", {"order_id": "ORD-1002"}, 409, "shipped"),
        (
            "requestReturn",
            {"order_id": "ORD-1003", "items": [{"product_id": "prd-132", "reason": "damaged"}]},
            409,
            "delivered",
        ),
        (
            "requestReturn",
            {
                "order_id": "ORD-1001",
                "items": [{"product_id": "prd-141", "quantity": 3, "reason": "damaged"}],
            },
            422,
            "does not hold 3",
        ),
        ("trackShipment", {"tracking_number": "CS00000000"}, 404, "CS00000000"),
        ("getEvent", {"event_id": "EVT-1"}, 404, "EVT-1"),
        ("updateEvent", {"event_id": "EVT-501", "title": "x", "If-Match": 7}, 409, "version 1"),
        ("updateEvent", {"event_id": "EVT-501", "end": "2026-06-01T09:00"}, 422, "after the start"),
        (
            "createEvent",
            {"title": "x", "start": "2026-13-01T10:00", "end": "2026-06-01T10:00"},
            422,
            "no date",
        ),
        ("completeTodo", {"todo_id": "TODO-74"}, 409, "done already"),
        ("createContact", {"name": "Anna B", "email": "ANNA.BERG@example.org"}, 409, "address"),
        ("getContact", {"contact_id": "CON-1"}, 404, "CON-1"),
        ("listEvents", {"from_date": "2026-06-05", "to_date": "2026-06-04"}, 422, "before"),
        ("getHourlyForecast", {"place_id": "plc-rome-it", "date": "2026-06-15"}, 422, "forecasts from"),
    ],
)
def test_refuses_as_documented_and_changes_nothing(caller, run, operation, arguments, status, detail):
    before = caller.world.store.state(run)
    answer = caller.send(run, operation, arguments)
    assert answer.status_code == status, answer.text
    service, contract = CONTRACTS[operation]
    assert str(status) in contract.responses
    fits(answer, service, operation)
    assert re.search(detail, answer.json()["detail"])
    assert caller.world.store.state(run) == before


@pytest.mark.parametrize(
    ("operation", "arguments", "errors"),
    [
        ("getDailyForecast", {"place_id": "plc-rome-it", "days": 15}, [{"parameter": "days"}]),
        ("getDailyForecast", {"place_id": "plc-rome-it", "days": "two"}, [{"parameter": "days"}]),
        (
            "getDailyForecast",
            {"place_id": "rome", "start_date": "2026-02-30"},
            [{"parameter": "place_id"}, {"parameter": "start_date"}],
        ),
        ("searchPlaces", {}, [{"parameter": "query"}]),
        ("searchHotels", {"city": "Rome", **STAY, "amenities": ["casino"]}, [{"parameter": "amenities"}]),
        ("searchProducts", {"in_stock": "maybe"}, [{"parameter": "in_stock"}]),
        ("compareProducts", {"product_ids": ["prd-130"]}, [{"parameter": "product_ids"}]),
        ("addCartItem", {"product_id": "prd-101", "quantity": 0}, [{"pointer": "#/quantity"}]),
        ("addCartItem", {"product_id": "prd-101", "colour": "red"}, [{"pointer": "#"}]),
        (
            "bookFlight",
            {"flight_id": "MR1120-20260619", "passengers": [{"name": "Bo"}, {"name": "x"}]},
            [{"pointer": "#/passengers/1/name"}],
        ),
        (
            "placeOrder",
            {"shipping_address": {**ADDRESS, "country": "Norway"}},
            [{"pointer": "#/shipping_address/country"}],
        ),
        ("applyCoupon", {"code": "no"}, [{"pointer": "#/code"}]),
        ("sendInvitations", {"event_id": "EVT-501", "emails": ["nobody"]}, [{"pointer": "#/emails/0"}]),
        ("changeHotelBooking", {"booking_id": "BK-2001"}, [{"pointer": "#"}]),
    ],
)
def test_a_broken_schema_is_pointed_at(caller, run, operation, arguments, errors):
    answer = caller.send(run, operation, arguments)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    fits(answer, CONTRACTS[operation][0], operation)
    found = [{k: v for k, v in row.items() if k != "detail"} for row in answer.json()["errors"]]
    assert sorted(found, key=str) == errors

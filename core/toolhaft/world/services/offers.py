"""What can be booked: flights and hotels, drawn by seed, and what money is worth."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from toolhaft.world.problem import not_found
from toolhaft.world.service import Setting

_PER_ROUTE = 4
_FIRST_NUMBER = 100
_CABINS = {"economy": 1.0, "premium": 1.6, "business": 2.9}
_BAGGAGE = {"economy": 20, "premium": 25, "business": 32}
ROOMS = {"standard": (1.0, 2), "superior": (1.3, 3), "suite": (1.9, 4)}
HORIZON = 330
"""Days ahead that can be booked."""


def find_airport(setting: Setting, code: str) -> dict[str, Any]:
    """Return an airport by its code."""
    for row in setting.data["airports"]:
        if row["code"] == code:
            return dict(row)
    raise not_found("airport", code)


def _routes(setting: Setting) -> list[tuple[str, str]]:
    codes = sorted(row["code"] for row in setting.data["airports"])
    return [(origin, destination) for origin in codes for destination in codes if origin != destination]


def route_flights(
    setting: Setting, origin: str, destination: str, day: date, cabin: str
) -> Iterator[dict[str, Any]]:
    """Iterate over the flights of a route on a day."""
    route = _routes(setting).index((origin, destination))
    count = setting.draw("travel", "route", origin, destination).randrange(2, _PER_ROUTE + 1)
    for turn in range(count):
        yield _make_flight(setting, route, turn, day, cabin)


def _make_flight(setting: Setting, route: int, turn: int, day: date, cabin: str) -> dict[str, Any]:
    """Return one flight; its schedule depends on the route, its fare on the day as well."""
    origin, destination = (find_airport(setting, code) for code in _routes(setting)[route])
    draw = setting.draw("travel", "schedule", origin["code"], destination["code"], turn)
    airline = draw.choice(setting.data["airlines"])
    distance = _distance(origin, destination)
    stops = 0 if distance < 1500 else draw.choice((0, 0, 1))
    duration = round((35 + distance / 12.5 + stops * 95) / 5) * 5
    departs = 6 * 60 + turn * 255 + draw.randrange(0, 240, 5)
    arrives = departs + duration + round((destination["offset"] - origin["offset"]) * 60)
    fare = (28 + distance * 0.075) * setting.draw("travel", "fare", route, turn, day).uniform(0.7, 1.7)
    number = f"{airline['code']}{_FIRST_NUMBER + route * _PER_ROUTE + turn}"
    return {
        "flight_id": f"{number}-{day:%Y%m%d}",
        "flight_number": number,
        "airline": airline["name"],
        "origin": origin["code"],
        "destination": destination["code"],
        "date": day.isoformat(),
        "departure": _clock(departs),
        "arrival": _clock(arrives),
        "duration_minutes": duration,
        "stops": stops,
        "cabin": cabin,
        "price": euros(fare * _CABINS[cabin]),
        "baggage_kg": _BAGGAGE[cabin],
    }


def find_flight(setting: Setting, flight_id: str, cabin: str) -> dict[str, Any]:
    """Return a flight by its identifier, with the fare of a cabin."""
    number, _, digits = flight_id.partition("-")
    route = (int(number[2:]) - _FIRST_NUMBER) // _PER_ROUTE
    routes = _routes(setting)
    try:
        day = date.fromisoformat(digits)
    except ValueError:
        raise not_found("flight", flight_id) from None
    last = setting.today + timedelta(days=HORIZON)
    if 0 <= route < len(routes) and setting.today <= day <= last:
        for flight in route_flights(setting, *routes[route], day, cabin):
            if flight["flight_id"] == flight_id:
                return flight
    raise not_found("flight", flight_id)


def find_hotel(setting: Setting, hotel_id: str) -> dict[str, Any]:
    """Return a hotel with its prices."""
    row = next((row for row in setting.data["hotels"] if row["hotel_id"] == hotel_id), None)
    if row is None:
        raise not_found("hotel", hotel_id)
    draw = setting.draw("travel", "hotel", hotel_id)
    price = round(row["base"] * draw.uniform(0.9, 1.1))
    fields = (
        "hotel_id",
        "name",
        "city",
        "country",
        "district",
        "stars",
        "amenities",
        "free_cancellation_days",
    )
    return {
        **{k: row[k] for k in fields},
        "rating": round(draw.uniform(6.2, 9.6), 1),
        "price_per_night": euros(price),
        "rooms": [
            {"room_type": name, "price_per_night": euros(price * factor), "max_guests": guests}
            for name, (factor, guests) in ROOMS.items()
        ],
    }


def is_free(setting: Setting, row: dict[str, Any], check_in: date, check_out: date) -> bool:
    """Whether a hotel's record has a room free for every night."""
    full = {setting.today + timedelta(days=offset) for offset in row["full"]}
    return not any(check_in <= day < check_out for day in full)


def euro_values(setting: Setting) -> dict[str, float]:
    """Return the euros that one unit of each currency is worth."""
    return {
        code: value if code == "EUR" else value * setting.draw("travel", "rate", code).uniform(0.98, 1.02)
        for code, value in setting.data["currencies"].items()
    }


def _distance(origin: dict[str, Any], destination: dict[str, Any]) -> float:
    """Return the great-circle distance in kilometres."""
    from_latitude, to_latitude = math.radians(origin["latitude"]), math.radians(destination["latitude"])
    across = math.radians(destination["longitude"] - origin["longitude"])
    cosine = math.sin(from_latitude) * math.sin(to_latitude) + math.cos(from_latitude) * math.cos(
        to_latitude
    ) * math.cos(across)
    return 6371 * math.acos(max(-1.0, min(1.0, cosine)))


def _clock(minutes: int) -> str:
    return f"{minutes // 60 % 24:02d}:{minutes % 60:02d}"


def euros(amount: float) -> dict[str, Any]:
    """Return an amount of money."""
    return {"amount": round(amount, 2), "currency": "EUR"}

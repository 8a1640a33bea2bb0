"""Flights, hotels and bookings; schedules and fares are drawn by seed."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from toolhaft.world.problem import RequestProblem, conflict, invalid, not_found
from toolhaft.world.service import Request, Service, Setting, State, next_id, read_day
from toolhaft.world.services.offers import (
    HORIZON,
    ROOMS,
    euro_values,
    euros,
    find_airport,
    find_flight,
    find_hotel,
    is_free,
    route_flights,
)


def begin(setting: Setting) -> State:
    """Return the account's bookings at the beginning."""
    bookings = {}
    for row in setting.data["bookings"]:
        if row["kind"] == "hotel":
            check_in = setting.today + timedelta(days=row["in"])
            booking = _hotel_booking(
                find_hotel(setting, row["hotel_id"]),
                booking_id=row["booking_id"],
                check_in=check_in,
                check_out=check_in + timedelta(days=row["nights"]),
                guests=row["guests"],
                room_type=row["room_type"],
                lead_guest=row["lead_guest"],
            )
        else:
            day = setting.today + timedelta(days=row["in"])
            flight = next(route_flights(setting, row["origin"], row["destination"], day, row["cabin"]))
            passengers = [{"name": name, "seat": "any"} for name in row["passengers"]]
            booking = _flight_booking(flight, row["booking_id"], passengers)
        bookings[row["booking_id"]] = {**booking, "status": row["status"]}
    return {"last_id": 2100, "bookings": bookings}


def search_airports(request: Request) -> Any:
    """Find airports by city, name or code."""
    query = request["query"].casefold().strip()
    return {
        "airports": [
            {name: row[name] for name in ("code", "name", "city", "country")}
            for row in request.setting.data["airports"]
            if query in f"{row['name']}\n{row['city']}".casefold() or query == row["code"].casefold()
        ]
    }


def search_flights(request: Request) -> Any:
    """Find flights on a route and day."""
    setting = request.setting
    origin, destination = request["origin"], request["destination"]
    for code in (origin, destination):
        find_airport(setting, code)
    if origin == destination:
        raise invalid("the flight would land where it starts", parameter="destination")
    day = _travel_day(setting, request["date"], parameter="date")
    found = [
        flight
        for flight in route_flights(setting, origin, destination, day, request["cabin"])
        if flight["price"]["amount"] <= request.get("max_price", float("inf"))
        and (flight["stops"] == 0 or not request["nonstop"])
    ]
    orders: dict[str, Any] = {
        "price": lambda flight: flight["price"]["amount"],
        "departure": lambda flight: flight["departure"],
        "duration": lambda flight: flight["duration_minutes"],
    }
    found.sort(key=orders[request["sort"]])
    return {"flights": found}


def get_flight(request: Request) -> Any:
    """Show one flight."""
    return find_flight(request.setting, request["flight_id"], request["cabin"])


def get_flight_status(request: Request) -> Any:
    """Say whether a flight is on time."""
    flight = find_flight(request.setting, request["flight_id"], "economy")
    draw = request.setting.draw("travel", "status", flight["flight_id"])
    chance = draw.random()
    status = "on time" if chance < 0.7 else "delayed" if chance < 0.95 else "cancelled"
    return {
        "flight_id": flight["flight_id"],
        "flight_number": flight["flight_number"],
        "status": status,
        "delay_minutes": draw.randrange(15, 180, 5) if status == "delayed" else 0,
        "gate": f"{draw.choice('ABCDE')}{draw.randrange(1, 40)}",
    }


def search_hotels(request: Request) -> Any:
    """Find hotels in a city that have a room for the stay."""
    setting = request.setting
    check_in, check_out = _stay(setting, request["check_in"], request["check_out"], place="parameter")
    city = request["city"].casefold().strip()
    found = []
    for row in setting.data["hotels"]:
        hotel = find_hotel(setting, row["hotel_id"])
        if (
            hotel["city"].casefold() == city
            and is_free(setting, row, check_in, check_out)
            and any(room["max_guests"] >= request["guests"] for room in hotel["rooms"])
            and hotel["stars"] >= request.get("min_stars", 1)
            and hotel["price_per_night"]["amount"] <= request.get("max_price", float("inf"))
            and set(request.get("amenities", ())) <= set(hotel["amenities"])
        ):
            found.append(hotel)
    by_price = request["sort"] == "price"
    found.sort(key=lambda hotel: hotel["price_per_night"]["amount"] if by_price else -hotel["rating"])
    return {"nights": (check_out - check_in).days, "hotels": found}


def get_hotel(request: Request) -> Any:
    """Show one hotel."""
    return find_hotel(request.setting, request["hotel_id"])


def list_hotel_reviews(request: Request) -> Any:
    """Return what guests say."""
    setting = request.setting
    hotel = find_hotel(setting, request["hotel_id"])
    draw = setting.draw("travel", "reviews", hotel["hotel_id"])
    reviews = []
    for n in range(draw.randrange(3, 12)):
        rating = max(1, min(5, round(draw.gauss(hotel["rating"] / 2, 1))))
        title = draw.choice(setting.data["review_titles"][str(rating)])
        reviews.append({"rating": rating, "title": title, "date": setting.day(-3 - 9 * n)})
    first = request["offset"]
    return {
        "hotel_id": hotel["hotel_id"],
        "total": len(reviews),
        "reviews": reviews[first : first + request["limit"]],
    }


def list_bookings(request: Request) -> Any:
    """Return the account's bookings, earliest trip first."""
    found = [
        booking
        for booking in sorted(request.state["bookings"].values(), key=lambda row: row["start_date"])
        if request.get("kind") in (None, booking["kind"])
        and request.get("status") in (None, booking["status"])
    ]
    first = request["offset"]
    return {"total": len(found), "bookings": found[first : first + request["limit"]]}


def book_flight(request: Request) -> Any:
    """Book seats on a flight."""
    flight = find_flight(request.setting, request["flight_id"], request["cabin"])
    passengers = [{"name": row["name"], "seat": row.get("seat", "any")} for row in request["passengers"]]
    booking = _flight_booking(flight, next_id(request.state, "BK"), passengers)
    request.state["bookings"][booking["booking_id"]] = booking
    return booking


def book_hotel(request: Request) -> Any:
    """Book a room."""
    setting = request.setting
    hotel = find_hotel(setting, request["hotel_id"])
    check_in, check_out = _stay(setting, request["check_in"], request["check_out"], place="pointer")
    _check_room(setting, hotel, check_in, check_out, request["room_type"], request["guests"])
    booking = _hotel_booking(
        hotel,
        booking_id=next_id(request.state, "BK"),
        check_in=check_in,
        check_out=check_out,
        guests=request["guests"],
        room_type=request["room_type"],
        lead_guest=request["lead_guest"],
    )
    request.state["bookings"][booking["booking_id"]] = booking
    return booking


def get_booking(request: Request) -> Any:
    """Show one booking."""
    return _booking(request)


def change_hotel_booking(request: Request) -> Any:
    """Change a stay."""
    booking, setting = _booking(request), request.setting
    if booking["kind"] != "hotel" or booking["status"] != "confirmed":
        raise conflict(f"{booking['booking_id']} is no confirmed hotel booking")
    wanted = {k: request.get(k, booking[k]) for k in ("check_in", "check_out", "guests", "room_type")}
    hotel = find_hotel(setting, booking["hotel_id"])
    check_in, check_out = _stay(setting, wanted["check_in"], wanted["check_out"], place="pointer")
    _check_room(setting, hotel, check_in, check_out, wanted["room_type"], wanted["guests"])
    changed = _hotel_booking(
        hotel,
        booking_id=booking["booking_id"],
        check_in=check_in,
        check_out=check_out,
        guests=wanted["guests"],
        room_type=wanted["room_type"],
        lead_guest=booking["lead_guest"],
    )
    request.state["bookings"][booking["booking_id"]] = changed
    return changed


def cancel_booking(request: Request) -> Any:
    """Cancel a booking; a hotel is refunded until its last free day, a flight never."""
    booking = _booking(request)
    if booking["status"] == "cancelled":
        raise conflict(f"{booking['booking_id']} is cancelled already")
    refund = 0.0
    if booking["kind"] == "hotel":
        days_left = (date.fromisoformat(booking["check_in"]) - request.setting.today).days
        if days_left >= find_hotel(request.setting, booking["hotel_id"])["free_cancellation_days"]:
            refund = booking["total"]["amount"]
    booking.update(status="cancelled", refund=euros(refund))
    return booking


def list_exchange_rates(request: Request) -> Any:
    """Return the day's rates."""
    values, base = euro_values(request.setting), request["base"]
    rates = {code: round(values[base] / value, 4) for code, value in values.items() if code != base}
    return {"base": base, "date": request.setting.today.isoformat(), "rates": rates}


def convert_currency(request: Request) -> Any:
    """Convert an amount at the day's rate."""
    values = euro_values(request.setting)
    rate = round(values[request["from_currency"]] / values[request["to_currency"]], 4)
    return {
        "amount": request["amount"],
        "from_currency": request["from_currency"],
        "to_currency": request["to_currency"],
        "rate": rate,
        "converted": round(request["amount"] * rate, 2),
    }


def get_visa_requirements(request: Request) -> Any:
    """Say whether a visa is needed."""
    rules = request.setting.data["entry"]
    nationality, destination = request["nationality"], request["destination"]
    free = rules["free_movement"]
    answer = {"nationality": nationality, "destination": destination}
    if nationality == destination or (nationality in free and destination in free):
        return {**answer, "visa_required": False, "max_stay_days": None, "note": "Free movement"}
    rule = rules["visa_free"].get("free_movement" if destination in free else destination)
    if rule and nationality in rule["from"]:
        days = rule["days"]
        return {**answer, "visa_required": False, "max_stay_days": days, "note": f"Visa-free for {days} days"}
    if destination in free or destination in rules["visa_needed"]:
        return {
            **answer,
            "visa_required": True,
            "max_stay_days": 90,
            "note": "Apply at the embassy before the trip",
        }
    raise RequestProblem(404, f"There is no entry rule for {destination}")


SERVICE = Service(
    name="travel",
    begin=begin,
    operations={
        "searchAirports": search_airports,
        "searchFlights": search_flights,
        "getFlight": get_flight,
        "getFlightStatus": get_flight_status,
        "searchHotels": search_hotels,
        "getHotel": get_hotel,
        "listHotelReviews": list_hotel_reviews,
        "listBookings": list_bookings,
        "bookFlight": book_flight,
        "bookHotel": book_hotel,
        "getBooking": get_booking,
        "changeHotelBooking": change_hotel_booking,
        "cancelBooking": cancel_booking,
        "listExchangeRates": list_exchange_rates,
        "convertCurrency": convert_currency,
        "getVisaRequirements": get_visa_requirements,
    },
)


def _flight_booking(
    flight: dict[str, Any], booking_id: str, passengers: list[dict[str, str]]
) -> dict[str, Any]:
    return {
        "booking_id": booking_id,
        "kind": "flight",
        "status": "confirmed",
        "title": f"{flight['flight_number']}, {flight['origin']} to {flight['destination']}",
        "start_date": flight["date"],
        "total": euros(flight["price"]["amount"] * len(passengers)),
        "flight_id": flight["flight_id"],
        "cabin": flight["cabin"],
        "passengers": passengers,
    }


def _check_room(
    setting: Setting, hotel: dict[str, Any], check_in: date, check_out: date, room_type: str, guests: int
) -> None:
    row = next(row for row in setting.data["hotels"] if row["hotel_id"] == hotel["hotel_id"])
    if not is_free(setting, row, check_in, check_out):
        raise conflict(f"{hotel['name']} has no room free from {check_in} to {check_out}")
    if guests > ROOMS[room_type][1]:
        raise conflict(f"A {room_type} room takes {ROOMS[room_type][1]} guests, not {guests}")


def _hotel_booking(
    hotel: dict[str, Any],
    *,
    booking_id: str,
    check_in: date,
    check_out: date,
    guests: int,
    room_type: str,
    lead_guest: str,
) -> dict[str, Any]:
    price = next(
        room["price_per_night"]["amount"] for room in hotel["rooms"] if room["room_type"] == room_type
    )
    return {
        "booking_id": booking_id,
        "kind": "hotel",
        "status": "confirmed",
        "title": f"{hotel['name']}, {hotel['city']}",
        "start_date": check_in.isoformat(),
        "total": euros(price * (check_out - check_in).days),
        "hotel_id": hotel["hotel_id"],
        "check_in": check_in.isoformat(),
        "check_out": check_out.isoformat(),
        "guests": guests,
        "room_type": room_type,
        "lead_guest": lead_guest,
    }


def _booking(request: Request) -> dict[str, Any]:
    found: dict[str, Any] | None = request.state["bookings"].get(request["booking_id"])
    if found is None:
        raise not_found("booking", request["booking_id"])
    return found


def _stay(setting: Setting, check_in: str, check_out: str, *, place: str) -> tuple[date, date]:
    prefix = "#/" if place == "pointer" else ""
    first = _travel_day(setting, check_in, **{place: f"{prefix}check_in"})
    last = read_day(check_out, **{place: f"{prefix}check_out"})
    if not 1 <= (last - first).days <= 30:
        raise invalid("a stay has 1 to 30 nights", **{place: f"{prefix}check_out"})
    return first, last


def _travel_day(setting: Setting, text: str, **place: str) -> date:
    day = read_day(text, **place)
    if not setting.today <= day <= setting.today + timedelta(days=HORIZON):
        raise invalid(f"{text} is past or more than {HORIZON} days ahead; today is {setting.today}", **place)
    return day

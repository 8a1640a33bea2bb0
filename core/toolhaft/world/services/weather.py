"""Weather for places: drawn by seed from a sketch of each place's climate."""

from __future__ import annotations

import math
from datetime import date, timedelta
from typing import Any

from toolhaft.world.problem import RequestProblem, conflict, invalid, not_found
from toolhaft.world.service import Request, Service, Setting, State, next_id, read_day

_SEVERITIES = ("minor", "moderate", "severe", "extreme")
_WINDS = ("N", "NE", "E", "SE", "S", "SW", "W", "NW")
_SKETCH = frozenset({"january", "july", "rain"})
"""What a place's record holds for drawing the weather; the rest is what the service tells of it."""


def begin(setting: Setting) -> State:
    """Return the subscriptions that there are at the beginning."""
    rows = [
        {**row, "place": _title(_place(setting, row["place_id"]))} for row in setting.data["subscriptions"]
    ]
    return {"last_id": 301, "subscriptions": {row["subscription_id"]: row for row in rows}}


def search_places(request: Request) -> Any:
    """Find places by name."""
    query = request["query"].casefold().strip()
    found = [
        _shown(place)
        for place in request.setting.data["places"]
        if query in place["name"].casefold() and request.get("country") in (None, place["country"])
    ]
    found.sort(key=lambda place: (not place["name"].casefold().startswith(query), -place["population"]))
    return {"places": found[: request["limit"]], "total": len(found)}


def get_place(request: Request) -> Any:
    """Show one place."""
    place = _place(request.setting, request["place_id"])
    return _shown(place)


def get_current_weather(request: Request) -> Any:
    """Return the latest observation."""
    setting, units = request.setting, request["units"]
    place = _place(setting, request["place_id"])
    draw = setting.draw("weather", "current", place["place_id"])
    day = _day(setting, place, setting.today)
    temperature = day["low"] + (day["high"] - day["low"]) * (0.5 + draw.random() / 2)
    wind = day["wind_speed"]
    return {
        "place": _title(place),
        "date": setting.today.isoformat(),
        "units": units,
        "temperature": _degrees(temperature, units),
        "feels_like": _degrees(temperature - wind / 12, units),
        "humidity": 45 + draw.randrange(45),
        "wind_speed": _speed(wind, units),
        "wind_direction": draw.choice(_WINDS),
        "conditions": day["conditions"],
    }


def get_daily_forecast(request: Request) -> Any:
    """Return the forecast by day."""
    setting, units = request.setting, request["units"]
    place = _place(setting, request["place_id"])
    first = _forecast_day(request, "start_date")
    last = setting.today + timedelta(days=13)
    days = [first + timedelta(days=n) for n in range(request["days"])]
    forecasts = [_day(setting, place, day) for day in days if day <= last]
    return {
        "place": _title(place),
        "units": units,
        "days": [
            {
                **day,
                "high": _degrees(day["high"], units),
                "low": _degrees(day["low"], units),
                "wind_speed": _speed(day["wind_speed"], units),
            }
            for day in forecasts
        ],
    }


def get_hourly_forecast(request: Request) -> Any:
    """Return the forecast by hour."""
    setting, units = request.setting, request["units"]
    place = _place(setting, request["place_id"])
    when = _forecast_day(request, "date")
    if request["to_hour"] < request["from_hour"]:
        raise invalid("to_hour lies before from_hour", parameter="to_hour")
    day = _day(setting, place, when)
    hours = []
    for hour in range(request["from_hour"], request["to_hour"] + 1):
        warmth = (1 + math.cos((hour - 15) / 24 * 2 * math.pi)) / 2
        draw = setting.draw("weather", "hour", place["place_id"], when, hour)
        hours.append(
            {
                "hour": hour,
                "temperature": _degrees(day["low"] + (day["high"] - day["low"]) * warmth, units),
                "rain_chance": max(0, min(100, day["rain_chance"] + draw.randrange(-10, 11))),
                "wind_speed": _speed(day["wind_speed"] * (0.8 + draw.random() * 0.4), units),
            }
        )
    return {"place": _title(place), "date": when.isoformat(), "units": units, "hours": hours}


def get_climate_averages(request: Request) -> Any:
    """Return what is usual in a month."""
    setting, units = request.setting, request["units"]
    place = _place(setting, request["place_id"])
    month = request["month"]
    high = _usual_high(place, date(setting.today.year, month, 15))
    sun = _day_length(place["latitude"], date(setting.today.year, month, 15)) / 60
    return {
        "place": _title(place),
        "month": month,
        "units": units,
        "average_high": _degrees(high, units),
        "average_low": _degrees(high - 8, units),
        "rainfall_mm": round(place["rain"] * (2.2 + 0.8 * math.cos(month / 6 * math.pi)), 1),
        "sunshine_hours_per_day": round(sun * (1 - place["rain"] / 100) * 0.7, 1),
    }


def get_air_quality(request: Request) -> Any:
    """Return today's air quality."""
    setting = request.setting
    place = _place(setting, request["place_id"])
    draw = setting.draw("weather", "air", place["place_id"])
    index = 12 + draw.randrange(70) + int(math.log10(place["population"]) * 3)
    return {
        "place": _title(place),
        "date": setting.today.isoformat(),
        "index": index,
        "category": next(name for name, most in _AIR if index <= most),
        "pm2_5": round(index * 0.3, 1),
        "ozone": round(40 + draw.random() * 60, 1),
        "pollen": draw.choice(("low", "medium", "high")),
    }


def get_marine_conditions(request: Request) -> Any:
    """Return waves, water temperature and tides."""
    setting = request.setting
    place = _place(setting, request["place_id"])
    when = _forecast_day(request, "date")
    if not place["coastal"]:
        raise RequestProblem(404, f"{_title(place)} does not lie at the sea")
    draw = setting.draw("weather", "sea", place["place_id"], when)
    first = draw.randrange(60, 360)
    return {
        "place": _title(place),
        "date": when.isoformat(),
        "wave_height_m": round(0.3 + draw.random() * 2.4, 1),
        "water_temperature_c": round(_usual_high(place, when) * 0.6 + 3 + draw.random(), 1),
        "high_tides": [_clock(first), _clock(first + 745)],
        "low_tides": [_clock(first + 372), _clock(first + 1117)],
    }


def get_sun_times(request: Request) -> Any:
    """Return sunrise and sunset."""
    place = _place(request.setting, request["place_id"])
    when = read_day(request.get("date") or request.setting.today.isoformat(), parameter="date")
    length = _day_length(place["latitude"], when)
    return {
        "place": _title(place),
        "date": when.isoformat(),
        "sunrise": _clock(720 - length // 2),
        "sunset": _clock(720 + (length + 1) // 2),
        "day_length_minutes": length,
    }


def list_weather_alerts(request: Request) -> Any:
    """Return the warnings in force."""
    least = _SEVERITIES.index(request.get("min_severity", "minor"))
    found = [
        {
            **{name: alert[name] for name in ("alert_id", "kind", "severity", "area", "country", "headline")},
            "starts": request.setting.day(alert["first"]),
            "ends": request.setting.day(alert["last"]),
        }
        for alert in request.setting.data["alerts"]
        if alert["country"] == request["country"] and _SEVERITIES.index(alert["severity"]) >= least
    ]
    found.sort(key=lambda alert: -_SEVERITIES.index(alert["severity"]))
    return {"alerts": found}


def list_alert_subscriptions(request: Request) -> Any:
    """Return the subscriptions."""
    return {"subscriptions": list(request.state["subscriptions"].values())}


def create_alert_subscription(request: Request) -> Any:
    """Subscribe an address to the warnings for a place."""
    rows = request.state["subscriptions"]
    place = _place(request.setting, request["place_id"])
    if any(
        row["place_id"] == place["place_id"] and row["email"] == request["email"] for row in rows.values()
    ):
        raise conflict(f"{request['email']} already gets the warnings for {_title(place)}")
    row = {
        "subscription_id": next_id(request.state, "SUB"),
        "place_id": place["place_id"],
        "place": _title(place),
        "email": request["email"],
        "min_severity": request["min_severity"],
    }
    rows[row["subscription_id"]] = row
    return row


def delete_alert_subscription(request: Request) -> None:
    """End a subscription."""
    if request["subscription_id"] not in request.state["subscriptions"]:
        raise not_found("subscription", request["subscription_id"])
    del request.state["subscriptions"][request["subscription_id"]]


_AIR = (("good", 30), ("fair", 50), ("moderate", 75), ("poor", 1 << 30))

SERVICE = Service(
    name="weather",
    begin=begin,
    operations={
        "searchPlaces": search_places,
        "getPlace": get_place,
        "getCurrentWeather": get_current_weather,
        "getDailyForecast": get_daily_forecast,
        "getHourlyForecast": get_hourly_forecast,
        "getClimateAverages": get_climate_averages,
        "getAirQuality": get_air_quality,
        "getMarineConditions": get_marine_conditions,
        "getSunTimes": get_sun_times,
        "listWeatherAlerts": list_weather_alerts,
        "listAlertSubscriptions": list_alert_subscriptions,
        "createAlertSubscription": create_alert_subscription,
        "deleteAlertSubscription": delete_alert_subscription,
    },
)


def _place(setting: Setting, place_id: str) -> dict[str, Any]:
    for place in setting.data["places"]:
        if place["place_id"] == place_id:
            return dict(place)
    raise not_found("place", place_id)


def _shown(place: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in place.items() if name not in _SKETCH}


def _title(place: dict[str, Any]) -> str:
    return f"{place['name']}, {place['region']}, {place['country']}"


def _forecast_day(request: Request, name: str) -> date:
    today = request.setting.today
    when = read_day(request.get(name) or today.isoformat(), parameter=name)
    if not today <= when <= today + timedelta(days=13):
        last = (today + timedelta(days=13)).isoformat()
        raise invalid(f"there are forecasts from {today.isoformat()} to {last} only", parameter=name)
    return when


def _day(setting: Setting, place: dict[str, Any], when: date) -> dict[str, Any]:
    """Return one day's weather in metric units."""
    draw = setting.draw("weather", "day", place["place_id"], when)
    high = _usual_high(place, when) + draw.uniform(-5, 5)
    rain_chance = max(0, min(100, round(place["rain"] + draw.uniform(-30, 45))))
    return {
        "date": when.isoformat(),
        "high": round(high, 1),
        "low": round(high - draw.uniform(5, 11), 1),
        "rain_chance": rain_chance,
        "wind_speed": round(4 + draw.random() * 34, 1),
        "conditions": _conditions(rain_chance, high, draw.random()),
    }


def _conditions(rain_chance: int, high: float, chance: float) -> str:
    if rain_chance >= 60:
        if high < 2:
            return "snow"
        return "thunderstorm" if high > 24 and chance < 0.4 else "rain"
    if rain_chance >= 40:
        return "cloudy"
    if rain_chance >= 20:
        return "fog" if chance < 0.1 else "partly cloudy"
    return "clear"


def _usual_high(place: dict[str, Any], when: date) -> float:
    # Warmest around 20 July, the 201st day of the year.
    warmth = (1 + math.cos((when.timetuple().tm_yday - 201) / 365 * 2 * math.pi)) / 2
    january, july = place["january"], place["july"]
    return float(january + (july - january) * warmth)


def _day_length(latitude: float, when: date) -> int:
    """Return minutes between sunrise and sunset, by the sun's declination on that day."""
    declination = math.radians(-23.44) * math.cos(2 * math.pi * (when.timetuple().tm_yday + 10) / 365)
    angle = -math.tan(math.radians(latitude)) * math.tan(declination)
    return round(math.degrees(math.acos(max(-1.0, min(1.0, angle)))) * 8)


def _clock(minutes: int) -> str:
    return f"{minutes // 60 % 24:02d}:{minutes % 60:02d}"


def _degrees(celsius: float, units: str) -> float:
    return round(celsius * 9 / 5 + 32 if units == "imperial" else celsius, 1)


def _speed(kilometres: float, units: str) -> float:
    return round(kilometres / 1.609344 if units == "imperial" else kilometres, 1)

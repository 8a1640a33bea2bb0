"""One person's events, to-dos, reminders and contacts."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from toolhaft.world.problem import conflict, invalid, not_found
from toolhaft.world.service import Request, Service, Setting, State, next_id, read_day, read_time

_DAY_STARTS, _DAY_ENDS = "09:00", "17:00"


def begin(setting: Setting) -> State:
    """Return what the calendar holds at the beginning."""
    events = [
        {
            **{k: row[k] for k in ("event_id", "title", "location", "calendar", "attendees", "notes")},
            "start": f"{setting.day(row['in'])}T{row['start']}",
            "end": f"{setting.day(row['in'])}T{row['end']}",
            "version": 1,
        }
        for row in setting.data["events"]
    ]
    todos = [
        {
            **{k: row[k] for k in ("todo_id", "title", "priority", "done")},
            "due": None if row["in"] is None else setting.day(row["in"]),
        }
        for row in setting.data["todos"]
    ]
    reminders = [
        {
            "reminder_id": row["reminder_id"],
            "text": row["text"],
            "at": f"{setting.day(row['in'])}T{row['at']}",
        }
        for row in setting.data["reminders"]
    ]
    return {
        "last_id": 600,
        "events": {row["event_id"]: row for row in events},
        "todos": {row["todo_id"]: row for row in todos},
        "reminders": {row["reminder_id"]: row for row in reminders},
        "contacts": {row["contact_id"]: dict(row) for row in setting.data["contacts"]},
        "invitations": [],
    }


def get_today(request: Request) -> Any:
    """Return the date."""
    today = request.setting.today
    return {"date": today.isoformat(), "weekday": today.strftime("%A")}


def list_events(request: Request) -> Any:
    """Return events between two days."""
    first = request.get("from_date") or request.setting.today.isoformat()
    week_later = read_day(first, parameter="from_date") + timedelta(days=7)
    last = request.get("to_date") or week_later.isoformat()
    if last < first:
        raise invalid("to_date lies before from_date", parameter="to_date")
    query = request.get("query", "").casefold()
    return {
        "events": [
            event
            for event in _sorted(request.state["events"], "start")
            if first <= event["start"][:10] <= last
            and query in f"{event['title']}\n{event['location']}".casefold()
            and request.get("calendar") in (None, event["calendar"])
        ]
    }


def create_event(request: Request) -> Any:
    """Add an event."""
    _check_times(request["start"], request["end"])
    event = {
        "event_id": next_id(request.state, "EVT"),
        **{k: request[k] for k in ("title", "start", "end", "location", "calendar", "attendees", "notes")},
        "version": 1,
    }
    request.state["events"][event["event_id"]] = event
    return event


def get_event(request: Request) -> Any:
    """Show one event."""
    return _event(request)


def update_event(request: Request) -> Any:
    """Change an event; one whose beginning moves alone keeps its length."""
    event = _event(request)
    version = request.get("If-Match")
    if version is not None and version != event["version"]:
        raise conflict(f"{event['event_id']} has version {event['version']}, not {version}")
    changes = {
        k: request[k] for k in ("title", "start", "end", "location", "notes") if k in request.arguments
    }
    if "start" in changes and "end" not in changes:
        length = read_time(event["end"]) - read_time(event["start"])
        moved = read_time(changes["start"], pointer="#/start") + length
        changes["end"] = moved.isoformat(timespec="minutes")
    _check_times(changes.get("start", event["start"]), changes.get("end", event["end"]))
    event.update(changes, version=event["version"] + 1)
    return event


def delete_event(request: Request) -> None:
    """Remove an event."""
    _event(request)
    del request.state["events"][request["event_id"]]


def send_invitations(request: Request) -> Any:
    """Invite people to an event."""
    event = _event(request)
    event["attendees"] = list(dict.fromkeys([*event["attendees"], *request["emails"]]))
    sent = [
        {"event_id": event["event_id"], "email": email, "message": request["message"]}
        for email in request["emails"]
    ]
    request.state["invitations"].extend(sent)
    return {"event_id": event["event_id"], "invited": request["emails"]}


def find_free_slots(request: Request) -> Any:
    """Return the stretches of a working day that no event takes up."""
    day = read_day(request["date"], parameter="date").isoformat()
    free_from, slots = f"{day}T{_DAY_STARTS}", []
    taken = [event for event in _sorted(request.state["events"], "start") if event["start"][:10] == day]
    for start, end in [
        *((e["start"], e["end"]) for e in taken),
        (f"{day}T{_DAY_ENDS}", f"{day}T{_DAY_ENDS}"),
    ]:
        until = min(start, f"{day}T{_DAY_ENDS}")
        minutes = int((read_time(until) - read_time(free_from)).total_seconds()) // 60
        if minutes >= request["minutes"]:
            slots.append({"start": free_from, "end": until, "minutes": minutes})
        free_from = max(free_from, end)
    return {"date": day, "slots": slots}


def list_todos(request: Request) -> Any:
    """Return to-dos; those without a day come last."""
    before = request.get("due_before")
    rows = sorted(request.state["todos"].values(), key=lambda row: (row["due"] is None, row["due"] or ""))
    return {
        "todos": [
            row
            for row in rows
            if request.get("done") in (None, row["done"])
            and (before is None or (row["due"] is not None and row["due"] <= before))
            and request.get("priority") in (None, row["priority"])
        ]
    }


def create_todo(request: Request) -> Any:
    """Add a to-do."""
    row = {
        "todo_id": next_id(request.state, "TODO"),
        "title": request["title"],
        "due": request.get("due"),
        "priority": request["priority"],
        "done": False,
    }
    request.state["todos"][row["todo_id"]] = row
    return row


def complete_todo(request: Request) -> Any:
    """Tick a to-do off."""
    row = _todo(request)
    if row["done"]:
        raise conflict(f"{row['todo_id']} is done already")
    row["done"] = True
    return row


def delete_todo(request: Request) -> None:
    """Remove a to-do."""
    _todo(request)
    del request.state["todos"][request["todo_id"]]


def create_reminder(request: Request) -> Any:
    """Set a reminder."""
    read_time(request["at"], pointer="#/at")
    row = {"reminder_id": next_id(request.state, "REM"), "text": request["text"], "at": request["at"]}
    request.state["reminders"][row["reminder_id"]] = row
    return row


def list_reminders(request: Request) -> Any:
    """Return the reminders that are set."""
    return {"reminders": _sorted(request.state["reminders"], "at")}


def search_contacts(request: Request) -> Any:
    """Find people by name, company or city."""
    query = request["query"].casefold().strip()
    return {
        "contacts": [
            row
            for row in request.state["contacts"].values()
            if query in f"{row['name']}\n{row['company'] or ''}\n{row['city'] or ''}".casefold()
        ]
    }


def create_contact(request: Request) -> Any:
    """Add a person."""
    rows = request.state["contacts"]
    if any(row["email"].casefold() == request["email"].casefold() for row in rows.values()):
        raise conflict(f"There is a contact with the address {request['email']}")
    row = {
        "contact_id": next_id(request.state, "CON"),
        "name": request["name"],
        "email": request["email"],
        "phone": request.get("phone"),
        "company": request.get("company"),
        "city": None,
        "birthday": None,
    }
    rows[row["contact_id"]] = row
    return row


def get_contact(request: Request) -> Any:
    """Show one person."""
    if request["contact_id"] not in request.state["contacts"]:
        raise not_found("contact", request["contact_id"])
    return request.state["contacts"][request["contact_id"]]


SERVICE = Service(
    name="calendar",
    begin=begin,
    operations={
        "getToday": get_today,
        "listEvents": list_events,
        "createEvent": create_event,
        "getEvent": get_event,
        "updateEvent": update_event,
        "deleteEvent": delete_event,
        "sendInvitations": send_invitations,
        "findFreeSlots": find_free_slots,
        "listTodos": list_todos,
        "createTodo": create_todo,
        "completeTodo": complete_todo,
        "deleteTodo": delete_todo,
        "createReminder": create_reminder,
        "listReminders": list_reminders,
        "searchContacts": search_contacts,
        "createContact": create_contact,
        "getContact": get_contact,
    },
)


def _event(request: Request) -> dict[str, Any]:
    return _row(request, "events", "event_id", "event")


def _todo(request: Request) -> dict[str, Any]:
    return _row(request, "todos", "todo_id", "to-do")


def _row(request: Request, table: str, key: str, what: str) -> dict[str, Any]:
    found: dict[str, Any] | None = request.state[table].get(request[key])
    if found is None:
        raise not_found(what, request[key])
    return found


def _sorted(rows: dict[str, Any], key: str) -> list[dict[str, Any]]:
    return sorted(rows.values(), key=lambda row: row[key])


def _check_times(start: str, end: str) -> None:
    if read_time(end, pointer="#/end") <= read_time(start, pointer="#/start"):
        raise invalid("the end does not lie after the start", pointer="#/end")

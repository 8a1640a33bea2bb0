"""Small training rows, in the layout that `toolhaft data export` writes."""

import json

WEATHER = {
    "type": "function",
    "function": {
        "name": "getWeather",
        "description": "Weather of a city.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}


def make_row(city, *, answer="Rain.", **metadata):
    """Return a training row with a call and an answer."""
    call = {
        "type": "function",
        "id": "c1",
        "function": {"name": "getWeather", "arguments": {"city": city}},
    }
    return {
        "messages": [
            {"role": "system", "content": "Use a tool."},
            {"role": "user", "content": f"Umbrella in {city}?"},
            {"role": "assistant", "content": "", "tool_calls": [call]},
            {"role": "tool", "name": "getWeather", "tool_call_id": "c1", "content": '{"sky": "rain"}'},
            {"role": "assistant", "content": answer},
        ],
        "tools": [WEATHER],
        "metadata": metadata or {"origins": ["model"], "provenances": ["live"]},
    }


def write_rows(path, rows):
    """Write rows as JSON lines and return the path."""
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path

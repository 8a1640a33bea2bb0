"""A RapidAPI tool file as tools: what a live call would send, and an agent on simulated answers."""

import json
import tempfile
from pathlib import Path

from toolhaft import Agent, open_catalog

tool = {
    "tool_name": "Sky Watch",
    "tool_description": "Weather of the world",
    "api_list": [
        {
            "name": "Get Forecast",
            "url": "https://sky-watch.p.rapidapi.com/forecast/{city}",
            "method": "GET",
            "description": "The weather forecast of a city",
            "required_parameters": [{"name": "city", "type": "STRING", "default": "Riga"}],
            "optional_parameters": [{"name": "days", "type": "NUMBER", "default": "3"}],
            "schema": {"city": "str", "temperature": "int", "wind": "int"},
        }
    ],
}

with tempfile.TemporaryDirectory() as folder:
    path = Path(folder) / "Weather" / "sky_watch.json"
    path.parent.mkdir()
    path.write_text(json.dumps(tool), encoding="utf-8")

    with open_catalog(f"rapidapi:{path}") as live:  # nothing is sent: only shown
        print(live.report)
        request = live["sky_watch_get_forecast"].request({"city": "São Paulo", "days": 2})
        print(request.method, request.url)
        print(request.credentials[0].name, "from", request.credentials[0].secret)

    with open_catalog(f"rapidapi:{path}", virtual=True, seed=7) as virtual:
        run = Agent([virtual], model="heuristic").run_sync(
            "What is the weather forecast for the city 'Oslo'?"
        )
        step = run.trajectory.path()[0]
        print(step.calls[0].name, step.calls[0].arguments, step.observations[0].provenance)
        print(run.answer)

# prints: 1 imported, 0 degraded, 0 skipped
# prints: GET https://sky-watch.p.rapidapi.com/forecast/S%C3%A3o%20Paulo?days=2
# prints: X-RapidAPI-Key from env:RAPIDAPI_KEY
# prints: sky_watch_get_forecast {'city': 'Oslo'} simulated
# prints: Oslo

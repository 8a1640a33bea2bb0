"""Tool files made for the tests."""


def a_parameter(name="city", kind="STRING", default="", **fields):
    """Return a declared parameter of a tool file."""
    return {"name": name, "type": kind, "description": "", "default": default, **fields}


def an_api(name="Forecast", path="/forecast/{city}", required=(), optional=(), host="sky", **fields):
    """Return an API of a tool file."""
    return {
        "name": name,
        "url": f"https://{host}.p.rapidapi.com{path}",
        "description": f"The {name.lower()} of a place on the days to come",
        "method": "GET",
        "required_parameters": list(required),
        "optional_parameters": list(optional),
        "code": "import os; os.abort()",
        "convert_code": "raise SystemExit",
        **fields,
    }


def a_tool(*apis, name="Sky Watch", **fields):
    """Return a tool file."""
    return {
        "tool_name": name,
        "title": name,
        "tool_description": "Weather of the world",
        "host": "sky.p.rapidapi.com",
        "api_list": list(apis) or [an_api(required=[a_parameter(default="Riga")])],
        **fields,
    }

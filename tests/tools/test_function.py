"""Functions as tools: the schema from hints and docstring, the arguments from JSON, the result to JSON."""

import asyncio
import enum
import functools
import math
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal, NotRequired, Optional

import pydantic
import pytest
from typing_extensions import TypedDict

from toolhaft.errors import InvalidArgumentsError, UnknownNameError, UsageError
from toolhaft.tools.base import CallContext, ToolResult
from toolhaft.tools.catalog import Catalog
from toolhaft.tools.function import FunctionTool, tool
from toolhaft.tools.module import PythonSource
from toolhaft.tools.threads import run_in_thread


class Color(enum.Enum):
    RED = "red"
    BLUE = "blue"


@dataclass
class Point:
    x: float
    y: float = 0.0


class Person(pydantic.BaseModel):
    name: str
    age: int = pydantic.Field(ge=0)


class Place(TypedDict):
    city: str
    zip_code: NotRequired[str]


@tool(effect="read")
def add(a: int, b: int = 1) -> int:
    """Add two numbers."""
    return a + b


def call(made, **arguments):
    return Catalog([made]).call_sync(made.spec.name, **arguments)


def field(function, name="value"):
    return tool(function).spec.parameters["properties"][name]


def test_a_tool_is_still_a_function():
    assert add(2, b=3) == 5
    assert add.__name__ == "add"
    assert add.__doc__ == "Add two numbers."
    assert repr(add) == "<tool add>"


def test_the_spec_of_a_plain_function():
    spec = add.spec
    assert (spec.name, spec.description, spec.effect, spec.untrusted) == (
        "add",
        "Add two numbers.",
        "read",
        False,
    )
    assert spec.parameters == {
        "type": "object",
        "properties": {"a": {"type": "integer"}, "b": {"type": "integer", "default": 1}},
        "required": ["a"],
        "additionalProperties": False,
    }
    assert spec.source.startswith("python:")
    assert add.spec is spec


def test_the_decorator_without_arguments_means_write():
    @tool
    def order(item: str) -> str:
        return item

    assert order.spec.effect == "write"
    assert call(order, item="tea") == "tea"


HINTS = [
    (str, {"type": "string"}, "a", "a"),
    (int, {"type": "integer"}, 3, 3),
    (float, {"type": "number"}, 1, 1.0),
    (bool, {"type": "boolean"}, True, True),
    (Literal["a", "b"], {"type": "string", "enum": ["a", "b"]}, "b", "b"),
    (Optional[int], {"anyOf": [{"type": "integer"}, {"type": "null"}]}, None, None),  # noqa: UP045
    (int | str, {"anyOf": [{"type": "integer"}, {"type": "string"}]}, "x", "x"),
    (list[int], {"type": "array", "items": {"type": "integer"}}, [1], [1]),
    (Sequence[str], {"type": "array", "items": {"type": "string"}}, ["a"], ["a"]),
    (dict[str, float], {"type": "object", "additionalProperties": {"type": "number"}}, {"a": 1}, {"a": 1.0}),
    (date, {"type": "string", "format": "date"}, "2026-11-21", date(2026, 11, 21)),
    (datetime, {"type": "string", "format": "date-time"}, "2026-11-21T10:00:00", datetime(2026, 11, 21, 10)),
    (Annotated[int, pydantic.Field(ge=1)], {"type": "integer", "minimum": 1}, 2, 2),
    (
        Annotated[int, pydantic.Field(description="How many")],
        {"type": "integer", "description": "How many"},
        2,
        2,
    ),
    (Annotated[int, "How many"], {"type": "integer", "description": "How many"}, 2, 2),
    (Any, {}, [1, "a"], [1, "a"]),
]


@pytest.mark.parametrize(("hint", "schema", "given", "got"), HINTS, ids=lambda value: str(value)[:40])
def test_hints(hint, schema, given, got):
    seen = []

    def take(value):
        seen.append(value)

    take.__annotations__ = {"value": hint}
    made = tool(take)
    assert made.spec.parameters["properties"]["value"] == schema
    call(made, value=given)
    assert seen == [got]
    assert type(seen[0]) is type(got)


OBJECTS = [
    (Color, "red", Color.RED),
    (Point, {"x": 1}, Point(1.0)),
    (Person, {"name": "A", "age": 3}, Person(name="A", age=3)),
    (Place, {"city": "Oslo"}, {"city": "Oslo"}),
    (list[Point], [{"x": 1, "y": 2}], [Point(1.0, 2.0)]),
]


@pytest.mark.parametrize(("hint", "given", "got"), OBJECTS, ids=lambda value: str(value)[:30])
def test_hints_of_objects(hint, given, got):
    seen = []

    def take(value):
        seen.append(value)

    take.__annotations__ = {"value": hint}
    call(tool(take), value=given)
    assert seen == [got]


def test_defaults_are_left_to_the_function():
    marker = object()
    seen = []

    @tool
    def take(a: Any = marker, b: list[int] = [1]) -> None:  # noqa: B006
        seen.append((a, b))

    default = take.function.__defaults__[1]
    assert "default" not in take.spec.properties["a"]
    assert take.spec.properties["b"]["default"] == [1]
    call(take)
    assert seen[0][0] is marker
    assert seen[0][1] is default


def test_keywords_are_passed_on():
    @tool
    def take(p0: int, **options: Any) -> dict:
        return {"p0": p0, **options}

    assert take.spec.parameters["additionalProperties"] is True
    assert call(take, p0=1, p1=2, self=3, name=4, p9="x") == {
        "p0": 1,
        "p1": 2,
        "self": 3,
        "name": 4,
        "p9": "x",
    }


@pytest.mark.parametrize(
    "name",
    [
        "schema",
        "copy",
        "self_",
        "_x",
        "class_",
        "json",
        "model_config",
        "model_fields",
        "p0",
        "arguments",
        "cls",
        "__root__",
    ],
)
def test_any_parameter_name_works(name):
    scope = {}
    source = f"def take({name}: int, other: int = 2): return {{'{name}': {name}, 'other': other}}"
    function = eval_function(source, scope)
    made = tool(function)
    assert made.spec.required == (name,)
    assert call(made, **{name: 5}) == {name: 5, "other": 2}


def eval_function(source, scope):
    import types

    code = compile(source, "<generated>", "exec")
    inner = next(constant for constant in code.co_consts if isinstance(constant, types.CodeType))
    function = types.FunctionType(inner, scope, "take", (2,))
    function.__annotations__ = dict.fromkeys(inner.co_varnames[: inner.co_argcount], int)
    function.__qualname__ = "take"
    return function


GOOGLE = """Find flights.

    Both ways if asked.

    Args:
        origin: Where from,
            as a code.
        day (str): When.

    Returns:
        Flights.
    """
NUMPY = """Find flights.

    Both ways if asked.

    Parameters
    ----------
    origin : str
        Where from,
        as a code.
    day : str
        When.
    """
SPHINX = """Find flights.

    Both ways if asked.

    :param origin: Where from,
        as a code.
    :param day: When.
    :returns: Flights.
    """


@pytest.mark.parametrize("text", [GOOGLE, NUMPY, SPHINX], ids=["google", "numpy", "sphinx"])
def test_docstrings(text):
    def flights(origin: str, day: str = ""):
        pass

    flights.__doc__ = text
    spec = tool(flights).spec
    assert spec.description == "Find flights.\n\nBoth ways if asked."
    assert spec.properties["origin"]["description"].split() == ["Where", "from,", "as", "a", "code."]
    assert spec.properties["day"]["description"] == "When."


def test_the_docstring_of_a_hint_wins_over_nothing_but_not_over_the_functions():
    @tool
    def take(a: Annotated[int, "from the hint"], b: Annotated[int, "from the hint"]):
        """Take.

        Args:
            b: from the docstring
        """

    assert take.spec.properties["a"]["description"] == "from the hint"
    assert take.spec.properties["b"]["description"] == "from the docstring"


@pytest.mark.parametrize("hint", [CallContext, CallContext | None, "CallContext"], ids=str)
def test_the_context_is_injected_and_hidden(hint):
    def take(city: str, context=None):
        return {"city": city, "is": type(context).__name__}

    take.__annotations__ = {"city": str, "context": hint}
    made = tool(take)
    assert list(made.spec.properties) == ["city"]
    assert call(made, city="Oslo") == {"city": "Oslo", "is": "CallContext"}
    with pytest.raises(InvalidArgumentsError):
        call(made, city="Oslo", context={})


def test_async_functions_run_on_the_loop():
    @tool
    async def where() -> str:
        asyncio.get_running_loop()
        return threading.current_thread().name

    assert call(where) == "toolhaft"


def test_sync_functions_run_in_a_thread():
    @tool
    def where() -> str:
        return threading.current_thread().name

    assert call(where) != "toolhaft"


class Shop:
    def __init__(self):
        self.sold = []

    @tool
    def sell(self, item: str) -> int:
        """Sell something."""
        self.sold.append(item)
        return len(self.sold)

    @tool(effect="read")
    async def stock(self) -> int:
        return 10 - len(self.sold)

    @staticmethod
    @tool(effect="read")
    def motto() -> str:
        return "Buy!"


def test_methods_are_tools_of_their_object():
    one, other = Shop(), Shop()
    catalog = Catalog([one.sell, one.stock, one.motto])
    assert catalog.call_sync("sell", item="tea") == 1
    assert catalog.call_sync("stock") == 9
    assert catalog.call_sync("motto") == "Buy!"
    assert other.sold == []
    assert one.sell("milk") == 2
    assert catalog.spec("sell").required == ("item",)


def test_a_method_without_its_object_is_refused():
    with pytest.raises(UsageError, match="method without its object"):
        Catalog([Shop.sell])


class Doubler:
    """Doubles things."""

    def __call__(self, value: int) -> int:
        """Double a number."""
        return 2 * value


class SlowDoubler:
    """Doubles things."""

    async def __call__(self, value: int) -> int:
        return 2 * value


@pytest.mark.parametrize(
    ("made", "said"), [(Doubler(), "Double a number."), (SlowDoubler(), "Doubles things.")]
)
def test_callable_objects(made, said):
    found = tool(name="double")(made)
    assert found.spec.description == said
    assert call(found, value=4) == 8


def test_callable_objects_are_named_after_their_class():
    assert tool(Doubler()).spec.name == "Doubler"


def greet(greeting: str, name: str, mark: str = "!") -> str:
    """Greet."""
    return f"{greeting} {name}{mark}"


@pytest.mark.parametrize(
    "bound",
    [functools.partial(greet, "Hi"), functools.partial(functools.partial(greet, greeting="Hi"), mark="!")],
)
def test_what_a_partial_binds_is_hidden_from_the_model(bound):
    made = tool(bound)
    assert made.spec.name == "greet"
    assert made.spec.description == "Greet."
    assert "greeting" not in made.spec.properties
    assert made.spec.properties["name"] == {"type": "string"}
    assert call(made, name="Ada") == "Hi Ada!"
    with pytest.raises(InvalidArgumentsError):
        call(made, name="Ada", greeting="Bye")


def unresolvable(a: "Nowhere"):  # noqa: F821
    """Its hint names nothing."""


def malformed(a: "not a type!!"):  # noqa: F722
    """Its hint is no expression."""


def shapeless(a: threading.Lock):
    """Its hint has no JSON Schema."""


@dataclass
class Broken:
    part: "Nowhere"  # noqa: F821


def broken_inside(a: Broken):
    """Its hint's own hints cannot be resolved."""


def starred(*names: str):
    """Takes any number of arguments."""


def positional(a: int, /):
    """Takes an argument by position."""


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (unresolvable, "cannot be resolved"),
        (malformed, "cannot be resolved"),
        (shapeless, "no JSON Schema"),
        (broken_inside, "no JSON Schema"),
        (starred, "positional arguments"),
        (positional, "positional arguments"),
    ],
)
def test_functions_that_make_no_tool(function, said):
    with pytest.raises(UsageError, match=said) as caught:
        Catalog([tool(function)])
    assert caught.value.hint
    assert function.__name__ in str(caught.value)


@pytest.mark.parametrize(
    "settings",
    [
        {"effect": "wirte"},
        {"timeout": 0},
        {"timeout": -1},
        {"concurrency": 0},
        {"timeout": math.nan},
        {"name": "no spaces"},
        {"name": "x" * 65},
    ],
)
def test_settings_that_make_no_sense(settings):
    with pytest.raises(UsageError):
        tool(**settings)(greet)


def test_a_setting_that_does_not_exist():
    with pytest.raises(TypeError, match="timeot"):
        tool(timeot=3)


def test_a_single_tag_is_not_taken_apart():
    assert tool(tags="weather", hosts="https://a:443")(greet).spec.tags == ("weather",)
    assert tool(hosts="https://a:443")(greet).spec.hosts == ("https://a:443",)


def test_lambdas_need_a_name():
    with pytest.raises(UsageError, match="not a tool name"):
        tool(lambda: 1)
    assert call(tool(name="one")(lambda: 1)) == 1


RESULTS = [
    (None, None),
    ("text", "text"),
    (Point(1.0, 2.0), {"x": 1.0, "y": 2.0}),
    (Person(name="A", age=1), {"name": "A", "age": 1}),
    ([Point(1.0)], [{"x": 1.0, "y": 0.0}]),
    (b"\x00\xff", b"\x00\xff"),
    ({"data": b"\xff"}, {"data": "_w=="}),
    ({1, 2}, [1, 2]),
    ((1, 2), [1, 2]),
    (Color.RED, "red"),
    (Decimal("1.5"), "1.5"),
    (date(2026, 1, 2), "2026-01-02"),
    (ToolResult(value={"a": 1}), {"a": 1}),
]


@pytest.mark.parametrize(("result", "value"), RESULTS, ids=lambda value: type(value).__name__)
def test_results(result, value):
    @tool
    def give():
        return result

    assert call(give) == value


@pytest.mark.parametrize("bad", ["2026-13-01", "soon", ""])
def test_values_that_fit_the_schema_but_not_the_type(bad):
    @tool
    def plan(day: date):
        return day

    with pytest.raises(InvalidArgumentsError) as caught:
        call(plan, day=bad)
    assert caught.value.details["pointer"] == "/day"


@pytest.mark.anyio
async def test_a_hanging_function_does_not_hold_up_the_others():
    release = threading.Event()
    waiting = [asyncio.create_task(run_in_thread(release.wait, {"timeout": 5})) for _ in range(40)]
    await asyncio.sleep(0)
    started = time.perf_counter()
    assert await run_in_thread(lambda: 1, {}) == 1
    assert time.perf_counter() - started < 1
    release.set()
    await asyncio.gather(*waiting)


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("raised", "seen"), [(ValueError, ValueError), (StopIteration, RuntimeError), (KeyError, KeyError)]
)
async def test_errors_in_threads_come_back(raised, seen):
    def fail():
        raise raised("x")

    with pytest.raises(seen, match="x"):
        await run_in_thread(fail, {})


@pytest.mark.anyio
async def test_a_thread_that_is_given_up_ends_in_silence():
    release = threading.Event()
    task = asyncio.create_task(run_in_thread(release.wait, {}))
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    release.set()
    await asyncio.sleep(0.05)


@pytest.mark.anyio
async def test_a_module_is_a_source_of_tools(tmp_path, monkeypatch):
    (tmp_path / "house_tools_a.py").write_text(
        "from toolhaft import tool\n@tool(effect='read')\ndef area(a: int) -> int: return a * a\n"
        "def plain(a: int): return a\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    source = PythonSource()
    catalog = await source.load("house_tools_a")
    assert catalog.names == ("area",)
    assert await catalog.call("area", a=3) == 9


@pytest.mark.anyio
async def test_a_module_without_tools_is_refused():
    with pytest.raises(UsageError, match="no tools"):
        await PythonSource().load("json")


def test_functions_are_not_kept_in_files(tmp_path):
    assert FunctionTool(greet).binding() is None
    with pytest.raises(UsageError, match="cannot be kept"):
        Catalog([FunctionTool(greet)]).save(tmp_path / "x.catalog")


def test_the_nearest_name_is_shown():
    with pytest.raises(UnknownNameError, match="Did you mean 'add'"):
        Catalog([add]).call_sync("ad")


@pytest.mark.anyio
async def test_sets_have_an_order_and_generators_run_in_a_thread():
    loop_thread = threading.get_ident()

    @tool(effect="read")
    def words() -> set:
        """Words."""
        return {"pear", "apple", "fig"}

    @tool(effect="read")
    def numbers() -> object:
        """Numbers."""
        yield threading.get_ident() != loop_thread
        yield 2

    assert await words.call({}, CallContext()) == ["apple", "fig", "pear"]
    assert await numbers.call({}, CallContext()) == [True, 2]

"""Searching for tools, as a tool: for any planner in mid-run, and for agents that are not ours."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

from toolhaft.agent.catalog_index import CatalogIndex
from toolhaft.errors import RefusedError, ToolError, UnknownToolError, UsageError
from toolhaft.tools.base import CallContext, Tool, ToolResult, check_name
from toolhaft.tools.offer import SEARCH
from toolhaft.tools.policy import CallRequest, Policy
from toolhaft.types import ToolSpec

if TYPE_CHECKING:
    from toolhaft.hooks.registry import Registry
    from toolhaft.retrievers.base import Retriever
    from toolhaft.tools.catalog import Catalog

MOST = 20
"""Hits of one search at most."""
LONGEST_QUERY = 2_000
_DESCRIPTION = 200
_ARGUMENTS = 12
_SCHEMA = 3_000
"""Characters of a hit's schema that are given whole; of a longer one, the required arguments alone."""
_WHOLE = 16_000
"""Characters of all hits together, about."""


class FindTools(Tool):
    """Searches a catalog by what a tool is to do.

    The answer has each hit's name, the beginning of its description and its required arguments; also the
    tools that the hits' descriptions name. All of it is untrusted text of bounded size. In a rollout, what
    is found can be called from the next step on (see `toolhaft.tools.offer.GrowingTools`). An agent of
    another make calls it by `CallTool`: see `searchable`.

    Args:
        catalog: What is searched.
        retriever: A retriever, its name, or an async function that gives one which has indexed the catalog.
        name: Of this tool.
        schemas: Whether each hit comes with the whole schema of its arguments, where that is not long.
        untrusted: Whether reading an answer is reading strangers' text. Inside an agent the offered tools
            themselves say so.
        hint: One line on how to call what was found.
        registry: Where the retriever's name is looked up.

    Raises:
        UsageError: The name is not legal.
    """

    def __init__(
        self,
        catalog: Catalog,
        retriever: str | Retriever | Callable[[], Awaitable[Retriever]] = "bm25",
        *,
        name: str = "find_tools",
        schemas: bool = False,
        untrusted: bool = True,
        hint: str = "What is found can be called from your next message on.",
        registry: Registry | None = None,
    ) -> None:
        check_name(name)
        self.catalog = catalog
        self._given = retriever
        self._schemas = schemas
        self._registry = registry
        self._index = CatalogIndex(catalog, self._make)
        self.spec = ToolSpec(
            name=name,
            description=f"Searches for more tools by what they do, where none of yours fits. {hint}",
            parameters={
                "type": "object",
                "properties": {
                    "query": {
                        "type": "string",
                        "minLength": 1,
                        "maxLength": LONGEST_QUERY,
                        "description": "What the tool is to do, in a few words",
                    },
                    "k": {
                        "type": "integer",
                        "minimum": 1,
                        "maximum": MOST,
                        "default": 5,
                        "description": "Most tools to return",
                    },
                },
                "required": ["query"],
                "additionalProperties": False,
            },
            effect="read",
            source=SEARCH,
            untrusted=untrusted,
        )

    async def call(self, arguments: Mapping[str, Any], context: CallContext) -> ToolResult:
        """Search; see the class."""
        from toolhaft.retrievers.mentions import mentioned_tools

        k = int(arguments.get("k", 5))
        given = self._given
        retriever = await (given() if callable(given) else self._index.retriever())
        hits = await retriever.retrieve(str(arguments["query"]), k)
        specs = [hit.item for hit in hits if hit.item.name in self.catalog]
        specs += self.catalog.specs().several(mentioned_tools(specs, self.catalog, limit=k))
        found: list[dict[str, Any]] = []
        left = _WHOLE
        for spec in specs:
            entry = describe(spec, schema=self._schemas)
            left -= len(str(entry))
            if left < 0 and found:
                break
            found.append(entry)
        if found:
            return ToolResult(value={"tools": found})
        return ToolResult(value={"tools": []}, notes=("nothing was found: try other words",))

    def _make(self) -> Retriever:
        from toolhaft.hooks.registry import Registry

        given: Any = self._given
        return (self._registry or Registry.default()).retriever(given) if isinstance(given, str) else given

    async def close(self) -> None:
        """Let go of the retriever's files, if it was opened here."""
        if isinstance(self._given, str):
            await self._index.close()


class CallTool(Tool):
    """Calls any tool of a catalog by its name, for an agent that is only shown how to search.

    Its own policy stands before each call: by default what reads runs, and the rest is refused. All calls
    count as one run for the policy's rule of two: once private data and strangers' text were read through
    this tool, an allowed effect no longer covers writing, a tool's name does. So make one a conversation.

    Args:
        catalog: What may be called.
        policy: Decides; ``ask`` is a refusal.
        name: Of this tool.

    Raises:
        UsageError: The name is not legal.
    """

    def __init__(self, catalog: Catalog, *, policy: Policy | None = None, name: str = "call_tool") -> None:
        check_name(name)
        self.catalog = catalog
        self.policy = policy if policy is not None else Policy()
        self.spec = ToolSpec(
            name=name,
            description="Calls a tool that a search found, by its name.",
            parameters={
                "type": "object",
                "properties": {
                    "name": {"type": "string", "minLength": 1, "maxLength": 64},
                    "arguments": {"type": "object", "description": "By the schema of the tool"},
                },
                "required": ["name"],
                "additionalProperties": False,
            },
            effect="irreversible" if set(self.policy.allow) - {"read"} else "read",
            source="toolhaft:call_tool",
            private=True,  # whatever a tool of the catalog returns, its results may be
        )
        self._read_private = self._read_untrusted = False

    async def call(self, arguments: Mapping[str, Any], context: CallContext) -> Any:
        """Check the arguments, ask the policy, and make the call.

        Raises:
            ToolError: There is no such tool, the arguments break its schema, it is not allowed, or it failed.
        """
        name, given = str(arguments["name"]), dict(arguments.get("arguments") or {})
        found = self.catalog.get(name)
        if found is None:
            raise UnknownToolError(name, ())
        spec: ToolSpec = found.spec
        self.catalog.check(spec, given)
        decision = self.policy.decide(
            CallRequest(
                spec=spec,
                arguments=given,
                private=self._read_private,
                untrusted=self._read_untrusted or spec.untrusted,
            )
        )
        if decision.verdict != "allow":
            raise RefusedError(
                f"the call was refused: {decision.reason}", where=spec.name, hint="Ask whoever runs the tools"
            )
        # Noted before the call: of one that fails, the error's text is read as well.
        self._read_private |= spec.private
        self._read_untrusted |= spec.untrusted
        try:
            return await self.catalog.call(name, **given)
        except UsageError as error:
            raise ToolError(error.what, where=spec.name, hint=error.hint) from None


def searchable(
    catalog: Catalog,
    retriever: str | Retriever | Callable[[], Awaitable[Retriever]] = "bm25",
    *,
    policy: Policy | None = None,
    registry: Registry | None = None,
) -> Catalog:
    """Return two tools in place of many: ``find_tools``, which searches, and ``call_tool``, which calls.

    This is what to give an agent whose tools cannot grow in mid-run.

    Args:
        catalog: The many. It is closed with the two.
        retriever: As of `FindTools`.
        policy: As of `CallTool`.
        registry: Where the retriever's name is looked up.
    """
    from toolhaft.tools.catalog import Catalog

    hint = "Call what is found by call_tool."
    finder = FindTools(catalog, retriever, schemas=True, hint=hint, registry=registry)
    return Catalog(
        [finder, CallTool(catalog, policy=policy)], name=f"search of {catalog.name}", close=catalog.close
    )


def describe(spec: ToolSpec, *, schema: bool = False) -> dict[str, Any]:
    """Return what a search tells of a hit: name, description and required arguments, all of bounded size.

    Args:
        spec: The hit.
        schema: Whether the whole schema of its arguments is wanted, where that is not long.
    """
    from toolhaft.text import clean
    from toolhaft.tools.memory import canonical

    entry: dict[str, Any] = {
        "name": spec.name,
        "description": " ".join(clean(spec.description[: 4 * _DESCRIPTION], _DESCRIPTION).split()),
    }
    if schema and len(canonical(spec.parameters)) <= _SCHEMA:
        return {**entry, "parameters": spec.parameters}
    needed = {str(name)[:64]: _type(spec.properties.get(name)) for name in spec.required[:_ARGUMENTS]}
    return {**entry, "required": needed}


def free_name(catalog: Catalog) -> str:
    """Return a name for the tool that searches which no tool of the catalog has."""
    name, number = "find_tools", 1
    while name in catalog:
        number += 1
        name = f"find_tools_{number}"
    return name


def _type(schema: Any) -> str:
    found = schema.get("type") if isinstance(schema, Mapping) else None
    if isinstance(found, list):
        found = " or ".join(map(str, found[:4]))
    return found[:40] if isinstance(found, str) and found else "any"

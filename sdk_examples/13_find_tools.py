"""Searching for tools in mid-run: in an agent of ours, and for an agent of another make.

The tools are the demo world's, which run here for a moment. A script stands in for a language model.
"""

from toolhaft import Agent, ToolCall, open_catalog
from toolhaft.agent import searchable
from toolhaft.models.rendering import chat_tools
from toolhaft.testing import ScriptedModel

world = open_catalog("world:")
print(len(world), "tools")

WANTED = "convert money into another currency"
MONEY = {"amount": 100, "from_currency": "EUR", "to_currency": "NOK"}

# An agent is offered the few that fit the instruction, and may search for the rest.
model = ScriptedModel(
    ToolCall(id="1", name="find_tools", arguments={"query": WANTED, "k": 1}),
    ToolCall(id="2", name="convertCurrency", arguments=MONEY),
    "Take a coat, and some kroner.",
)
agent = Agent([world], model=model, k=2, find_tools=True)
run = agent.run_sync("Is a weather warning in force in Norway, and what are my hundred euros worth there?")
first, second, _ = run.trajectory.steps
print("offered at first:", len(first.offered), "tools,", first.offered[0], "among them")
print("offered then:", *sorted(set(second.offered) - set(first.offered)))
print("which returned:", second.observations[0].error or list(second.observations[0].value()))

# Another agent is given two tools in place of all: one that searches, one that calls what was found.
two = searchable(world)
print(*[shown["function"]["name"] for shown in chat_tools(two.specs())])
hit = two.call_sync("find_tools", query=WANTED)["tools"][0]
print(hit["name"], list(hit["parameters"]["properties"]))
print(list(two.call_sync("call_tool", name=hit["name"], arguments=MONEY)))

two.close_sync()

# prints: 221 tools
# prints: offered at first: 3 tools, find_tools among them
# prints: offered then: convertCurrency
# prints: which returned: ['amount', 'from_currency', 'to_currency', 'rate', 'converted']
# prints: find_tools call_tool
# prints: convertCurrency ['amount', 'from_currency', 'to_currency']
# prints: ['amount', 'from_currency', 'to_currency', 'rate', 'converted']

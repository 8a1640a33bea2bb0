"""A Python function as a tool, called by its owner and then by an agent.

Without a language model at hand the built-in heuristic chooses the tool and fills in its arguments.
"""

from toolhaft import Agent, tool


@tool(effect="read")
def exchange_rate(base: str, target: str) -> float:
    """Exchange rate between two currencies.

    Args:
        base: Currency to change from, three letters.
        target: Currency to change to, three letters.
    """
    return {"EUR": 1.0, "NOK": 11.5, "JPY": 163.0}[target] / {"EUR": 1.0, "NOK": 11.5, "JPY": 163.0}[base]


print(exchange_rate("EUR", "NOK"))

run = Agent([exchange_rate], model="heuristic").run_sync("What is the exchange rate from EUR to JPY?")
print(sorted(run.trajectory.path()[0].calls[0].arguments.items()))
print(run.answer)

# prints: 11.5
# prints: [('base', 'EUR'), ('target', 'JPY')]
# prints: 163

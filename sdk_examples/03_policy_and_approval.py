"""Reads run; writes need leave: by effect, by name, or from somebody who is asked."""

from toolhaft import Agent, tool

notes = []


@tool(effect="write")
def add_note(text: str) -> str:
    """Add a note to the notebook.

    Args:
        text: What to write down.
    """
    notes.append(text)
    return f"Noted: {text}"


instruction = 'Add a note to the notebook with the text "buy milk"'

refused = Agent([add_note], model="heuristic").run_sync(instruction)
print(refused.trajectory.path()[0].observations[0].error.code, notes)

allowed = Agent([add_note], model="heuristic", allow="write").run_sync(instruction)
print(allowed.trajectory.status, notes)


def ask(request, decision):
    """Stand in for a person."""
    print(request.describe())
    return decision.verdict == "ask"


Agent([add_note], model="heuristic", approver=ask).run_sync(instruction)
print(notes)

# prints: E-TOOL-REFUSED []
# prints: answered ['buy milk']
# prints: add_note (write)
# prints:   text = 'buy milk'  [from user]
# prints: ['buy milk', 'buy milk']

"""What a model is told before a question, when it is asked now."""

from __future__ import annotations

from toolhaft_evals.apibench.database import Database


def instructions(database: Database) -> str:
    """Return what a model is told: the form of the answer, and the domains that there are."""
    domains = ", ".join(dict.fromkeys(row.domain for row in database.rows))
    return (
        f"You choose the one API of {database.hub} that does what is asked. Answer in exactly this form, "
        "and with nothing else:\n"
        "<<<domain>>>: the domain\n"
        "<<<api_call>>>: the call, one line of Python with literal arguments\n"
        "<<<api_provider>>>: who provides it\n"
        f"The domain is one of: {domains}."
    )

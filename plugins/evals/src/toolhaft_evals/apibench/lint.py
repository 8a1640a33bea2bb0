"""What is wrong with the data itself: findings, counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from toolhaft.types import Task
from toolhaft_evals.apibench.calls import is_python
from toolhaft_evals.apibench.database import Database, squeeze


def lint_apibench(tasks: Sequence[Task], database: Database) -> dict[str, list[str]]:
    """Return the findings by kind, each as a line that says where."""
    missing = [task for task in tasks if squeeze(task.metadata["api_call"]) not in database.by_text]
    several = {key: rows for key, rows in database.by_text.items() if len(rows) > 1}
    instructions = Counter(task.instruction for task in tasks)
    return {
        "gold call in no row of the database": [
            f"{task.id}: {task.metadata['api_call']:.120}" for task in missing
        ],
        "call in several rows": [f"{rows[0].source:.100}: {len(rows)} rows" for rows in several.values()],
        "call with several domains": [
            f"{rows[0].source:.100}: {', '.join(sorted({row.domain for row in rows})):.200}"
            for rows in several.values()
            if len({row.domain for row in rows}) > 1
        ],
        "call that is no Python": [
            f"row {row.position + 1}: {row.source:.120}" for row in database.rows if not is_python(row.source)
        ],
        "call without arguments": [
            f"row {row.position + 1}: {row.source:.120}"
            for row in database.rows
            if row.call is None or not row.call.arguments
        ],
        "domains that differ in case or blanks alone": _alike(database),
        "question that stands twice": [
            f"{text:.120}: {times} times" for text, times in instructions.items() if times > 1
        ],
    }


def _alike(database: Database) -> list[str]:
    spellings: dict[str, set[str]] = {}
    for row in database.rows:
        spellings.setdefault(squeeze(row.domain).casefold(), set()).add(row.domain)
    return [", ".join(sorted(found)) for found in spellings.values() if len(found) > 1]

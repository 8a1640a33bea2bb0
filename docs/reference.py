"""The reference pages, generated from docstrings, the error classes and the commands' help."""

from __future__ import annotations

import inspect
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

PUBLIC = (
    "toolhaft.agent",
    "toolhaft.tools.function",
    "toolhaft.tools.module",
    "toolhaft.tools.base",
    "toolhaft.tools.catalog",
    "toolhaft.tools.wrappers",
    "toolhaft.tools.source",
    "toolhaft.tools.report",
    "toolhaft.tools.catalog_lock",
    "toolhaft.tools.catalog_diff",
    "toolhaft.tools.catalog_schema_diff",
    "toolhaft.tools.catalog_hash",
    "toolhaft.tools.profiles",
    "toolhaft.curation.applying",
    "toolhaft.curation.rules",
    "toolhaft.lint.linting",
    "toolhaft.lint.finding",
    "toolhaft.tools.toolset",
    "toolhaft.tools.policy",
    "toolhaft.tools.context",
    "toolhaft.tools.artifacts",
    "toolhaft.tools.threads",
    "toolhaft.tools.loop",
    "toolhaft.types.tool",
    "toolhaft.types.task",
    "toolhaft.types.prediction",
    "toolhaft.types.message",
    "toolhaft.types.content",
    "toolhaft.types.trajectory",
    "toolhaft.types.event",
    "toolhaft.types.codec",
    "toolhaft.secrets",
    "toolhaft.settings",
    "toolhaft.http.message",
    "toolhaft.http.client",
    "toolhaft.auth.entries",
    "toolhaft.auth.providers",
    "toolhaft.openapi.source",
    "toolhaft.openapi.options",
    "toolhaft.openapi.selection",
    "toolhaft.openapi.tool",
    "toolhaft.openapi.validating",
    "toolhaft.retrievers.base",
    "toolhaft.retrievers.bm25",
    "toolhaft.retrievers.hybrid",
    "toolhaft.retrievers.fusion",
    "toolhaft.retrievers.learned_fusion",
    "toolhaft.retrievers.reranker",
    "toolhaft.retrievers.reranked",
    "toolhaft.models.base",
    "toolhaft.models.rendering",
    "toolhaft.models.parsing",
    "toolhaft.models.chat",
    "toolhaft.models.replay",
    "toolhaft.planners.base",
    "toolhaft.planners.react",
    "toolhaft.planners.conversation",
    "toolhaft.generators.base",
    "toolhaft.generators.environment",
    "toolhaft.types.comparison",
    "toolhaft.evaluators.base",
    "toolhaft.evaluators.prediction",
    "toolhaft.runs.learning_fusion",
    "toolhaft.evaluators.state",
    "toolhaft.evaluators.match",
    "toolhaft.evaluators.failure",
    "toolhaft.evaluators.comparing",
    "toolhaft.evaluators.statistics",
    "toolhaft.evaluators.bootstrap",
    "toolhaft.evaluators.ranking",
    "toolhaft.evaluators.ranking_comparison",
    "toolhaft.runs.searching",
    "toolhaft.runs.search_sets.base",
    "toolhaft.runs.search_sets.own",
    "toolhaft.runs.search_sets.toolbench",
    "toolhaft.runs.search_sets.opening",
    "toolhaft.runs.evaluate",
    "toolhaft.runs.predictions",
    "toolhaft.runs.executor",
    "toolhaft.hooks.specs",
    "toolhaft.hooks.registry",
    "toolhaft.report.html",
    "toolhaft.report.comparison",
    "toolhaft.report.store",
    "toolhaft.training.checkpoints",
    "toolhaft.training.folders",
    "toolhaft.training.log",
    "toolhaft.training.card",
    "toolhaft.world.server",
    "toolhaft.world.tasks",
    "toolhaft.evaluators.state_check",
    "toolhaft.testing",
)
"""The modules that users import from, in reading order."""


def api_page(source: Path) -> str:
    """Return the page of the Python API, read from the source without importing it."""
    import griffe

    package = griffe.load("toolhaft", search_paths=[str(source)], docstring_parser="google")
    lines = [
        "# Python API",
        "",
        "Everything here is public; names without a page may change at any time.",
        "",
    ]
    for name in PUBLIC:
        module = package[name.removeprefix("toolhaft.")]
        lines += [f"## `{name}`", "", *_docstring(module), ""]
        for member in _members(module):
            lines += _entry(member)
    return "\n".join(lines) + "\n"


def errors_page() -> str:
    """Return the table of errors: class, code, exit code, meaning."""
    from toolhaft import errors

    lines = [
        "# Errors",
        "",
        "Every error has a stable code, and says what, where and what to do. A `ToolError` is read by",
        "the model; any other is for you. Commands print it in at most four lines and exit with its code.",
        "",
        "```text",
        *inspect.cleandoc(errors.__doc__ or "").splitlines()[2:],
        "```",
        "",
        "| class | code | exit code | meaning |",
        "| --- | --- | --- | --- |",
    ]
    for name, kind in vars(errors).items():
        if isinstance(kind, type) and issubclass(kind, errors.ToolhaftError):
            meaning = (inspect.getdoc(kind) or "").splitlines()[0]
            lines.append(f"| `{name}` | `{kind.code}` | {kind.exit_code} | {meaning} |")
    lines += [
        "",
        "Exit codes: 0 done, 1 failed, 2 wrong usage, 3 partial, 4 a person is needed, 130 interrupted.",
    ]
    return "\n".join(lines) + "\n"


def commands_page() -> str:
    """Return the help of every command, as the commands print it."""
    lines = ["# Commands", "", "Every command that prints a result takes `--json`.", ""]
    for words in [(), *_commands()]:
        lines += [f"## `{' '.join(('toolhaft', *words))}`", "", "```text", _help(words).rstrip(), "```", ""]
    return "\n".join(lines)


def _commands() -> Iterator[tuple[str, ...]]:
    import typer

    from toolhaft.cli.main import COMMANDS, app

    group: Any = typer.main.get_command(app)
    for name in COMMANDS:
        yield (name,)
        for inner in getattr(group.get_command(None, name), "commands", ()):
            yield (name, inner)


def _help(words: tuple[str, ...]) -> str:
    environment = os.environ | {"COLUMNS": "96", "NO_COLOR": "1", "TERM": "dumb"}
    command = [sys.executable, "-c", "from toolhaft.cli.main import main; main()", *words, "--help"]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=True)
    return done.stdout.replace("Usage: -c", "Usage: toolhaft")


def _members(parent: Any) -> list[Any]:
    members = list(parent.members.values())
    if parent.is_module and parent.is_init_module:  # what it hands on from its modules
        exported = set(parent.exports or ())
        members = [member.final_target for member in members if member.name in exported and member.is_alias]
    return [
        member
        for member in members
        if not member.is_alias
        and not member.name.startswith("_")
        and (member.is_class or member.is_function)
        and member.docstring is not None
    ]


def _entry(member: Any, level: int = 3) -> list[str]:
    title = "class " if member.is_class else ""
    lines = [f"{'#' * level} {title}`{_path(member)}`", ""]
    if member.is_function:
        lines += ["```python", _signature(member), "```", ""]
    lines += [*_docstring(member), ""]
    if member.is_class:
        for method in _members(member):
            lines += _entry(method, level + 1)
    return lines


def _path(member: Any) -> str:
    return f"{member.parent.name}.{member.name}" if member.parent.is_class else str(member.name)


def _signature(function: Any) -> str:
    parts: list[str] = []
    starred = False
    for parameter in function.parameters:
        kind = parameter.kind.value if parameter.kind else ""
        prefix = {"variadic positional": "*", "variadic keyword": "**"}.get(kind, "")
        if kind == "keyword-only" and not starred:
            parts.append("*")
            starred = True
        starred = starred or prefix == "*"
        text = prefix + parameter.name
        if parameter.annotation is not None:
            text += f": {parameter.annotation}"
        if parameter.default is not None and not prefix:
            text += f" = {parameter.default}"
        parts.append(text)
    name = "async def" if "async" in function.labels else "def"
    returns = f" -> {function.returns}" if function.returns is not None else ""
    line = f"{name} {function.name}({', '.join(parts)}){returns}"
    if len(line) <= 96:
        return line
    inner = "".join(f"    {part},\n" for part in parts)
    return f"{name} {function.name}(\n{inner}){returns}"


def _docstring(member: Any) -> list[str]:
    if member.docstring is None:
        return []
    lines: list[str] = []
    for section in member.docstring.parsed:
        kind = section.kind.value
        if kind == "text":
            lines += [section.value, ""]
        elif kind in ("parameters", "attributes", "raises", "returns"):
            lines += [f"**{kind.capitalize()}**", ""]
            lines += [_item(kind, item) for item in section.value]
            lines.append("")
        elif kind == "admonition":
            lines += [f"**{section.title}:** {section.value.description}", ""]
    return lines


def _item(kind: str, item: Any) -> str:
    text = " ".join(str(item.description).split())
    name = str(item.annotation) if kind == "raises" else getattr(item, "name", "")
    return f"- `{name}`: {text}" if name else f"- {text}"

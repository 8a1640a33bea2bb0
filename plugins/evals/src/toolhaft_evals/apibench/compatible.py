"""The rule of the published scripts: the first row whose arguments occur in the call decides by its domain.

Source: Patil et al., "Gorilla: Large Language Model Connected with Massive APIs" (2023), section 3.3, as
its evaluation scripts carry it out. Deviation: they parse with tree-sitter, which makes something of broken
code, too; here a call is found by its name and its parentheses, so that of text that is no Python the
verdict may differ.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Collection
from dataclasses import dataclass

from toolhaft_evals.apibench.calls import Call, is_python, leading_string, mask_strings, parsed, read_call
from toolhaft_evals.apibench.database import API, Database

_LONGEST = 20_000
"""Characters of an answer that are read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CompatibleVerdict:
    """What the published scripts would say.

    Attributes:
        verdict: ``correct``, ``wrong`` or ``hallucination``.
        row: Position of the first row that fits; -1 if none does, None if nothing was read.
        source: What was read as code.
    """

    verdict: str
    row: int | None
    source: str | None


def judge_compatible(text: str, domains: Collection[str], database: Database) -> CompatibleVerdict:
    """Judge an answer as the published scripts do.

    Args:
        text: As the model wrote it.
        domains: Those of the gold API.
        database: Its ``hub`` says which of the three scripts is meant.
    """
    source = cut_call(text[:_LONGEST], marker_needed=database.hub == "torchhub")
    if source is None:
        return CompatibleVerdict(verdict="wrong", row=None, source=None)
    declared = "api_call" in text
    # Of running text around code, the scripts make what their parser recovers: nothing, six times in seven.
    row = first_fitting(source, database) if declared or is_python(source) else None
    if row is None:
        return CompatibleVerdict(verdict="hallucination", row=-1, source=source)
    verdict = "correct" if row.domain in domains else "wrong"
    return CompatibleVerdict(verdict=verdict, row=row.position, source=source)


def cut_call(text: str, *, marker_needed: bool) -> str | None:
    """Return what is read as code: from ``api_call`` to ``api_provider``, else the whole text or nothing."""
    parts = text.split("api_call")
    if len(parts) == 1:
        return None if marker_needed else text
    part = parts[1].split("api_provider")[0]
    # Without a colon or a parenthesis the scripts cut all the same, two characters off and one.
    begins = part.index(":") + 2 if ":" in part else 2
    ends = part.rindex(")") + 1 if ")" in part else len(part) - 1
    return part[begins:ends]


def first_fitting(source: str, database: Database) -> API | None:
    """Return the first row whose arguments all occur in the sub-tree that the source has for its callee."""
    found: dict[str, str] = {}
    tree = parsed(source)
    last = _last_node(tree, source) if tree is not None else leading_string(source)
    masked = mask_strings(source)
    for row in database.rows:
        if row.call is None:
            continue
        wanted = _wanted(row.call, database.hub)
        if not wanted:
            continue
        callee = row.call.callee
        if callee not in found:
            found[callee] = _sub_tree(source, masked, callee)
        # Where no sub-tree has the callee, the scripts go on with the one they looked at last.
        if all(text in (found[callee] or last) for text in wanted):
            return row
    return None


def _wanted(call: Call, hub: str) -> list[str]:
    """Return the texts of a row's arguments that are looked for, as each of the three scripts takes them."""
    if hub == "torchhub":
        texts = [
            one.text
            for one in call.arguments
            if one.name and re.search("repo_or_dir|model", f"{one.name}={one.text}")
        ]
    elif hub.startswith("tensorflow"):
        texts = [
            one.text if one.name in ("", "model") else f"{one.name}={one.text}" for one in call.arguments
        ]
    else:
        texts = [one.text for one in call.arguments]
    return [text.strip("'") for text in texts]


def _sub_tree(source: str, masked: str, callee: str) -> str:
    """Return the first call of a callee that stands outside of strings; empty if there is none."""
    begins = masked.find(f"{callee}(")
    while begins >= 0:
        before = masked[begins - 1 : begins]
        if not (before.isalnum() or before in ("_", ".")) or not begins:
            return read_call(source, begins, begins + len(callee)).text
        begins = masked.find(f"{callee}(", begins + 1)
    return ""


def _last_node(tree: ast.Module, source: str) -> str:
    """Return the text of the node that a walk from the last child to the first visits last.

    It is found by going to the first child that has children itself, as long as there is one.
    """
    node: ast.AST | None = tree.body[0] if tree.body else None
    text = source
    while node is not None:
        text = ast.get_source_segment(source, node) or text
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            text = text[len(node.func.id) :]
        elif isinstance(node, ast.Import | ast.ImportFrom):
            text = node.names[0].name if isinstance(node, ast.Import) else node.module or text
        node = _first_inner(node)
    return text


def _first_inner(node: ast.AST) -> ast.AST | None:
    if isinstance(node, ast.Expr | ast.keyword):
        return None if isinstance(node, ast.keyword) and _is_leaf(node.value) else node.value
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        children: list[ast.AST] = [*node.args, *node.keywords]
    elif isinstance(node, ast.Call):
        return node.func
    elif isinstance(node, ast.Attribute):
        children = [node.value]
    elif isinstance(node, ast.Assign):
        children = [node.targets[0], node.value]
    elif isinstance(node, ast.Tuple | ast.List):
        children = [*node.elts]
    elif isinstance(node, ast.BinOp):
        children = [node.left, node.right]
    else:
        return None
    return next((child for child in children if not _is_leaf(child)), None)


def _is_leaf(node: ast.AST) -> bool:
    return isinstance(node, ast.Name) or (isinstance(node, ast.Constant) and not isinstance(node.value, str))

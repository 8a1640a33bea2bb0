"""Trajectories written as ToolBench's answer files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from toolhaft.types import Trajectory
from toolhaft_rapidapi.toolbench.codes import FINISHED
from toolhaft_rapidapi.toolbench.kept import Kept
from toolhaft_rapidapi.toolbench.messages import train_messages
from toolhaft_rapidapi.toolbench.nodes import ACTION, INPUT, THOUGHT
from toolhaft_rapidapi.toolbench.reading import write_json
from toolhaft_rapidapi.toolbench.turns import Turn, turns

NOT_KEPT = ("is_terminal", "Elo", "io_state")
"""Fields of nodes that are the same in every file of the reference, and written as it writes them."""
_FINISHED_INPUTS = 2


def write_answer(path: Path | str, trajectory: Trajectory) -> Path:
    """Write a trajectory as an answer file.

    Raises:
        UsageError: The file cannot be written.
    """
    return write_json(path, export_answer(trajectory))


def export_answer(trajectory: Trajectory) -> dict[str, Any]:
    """Return a trajectory in the layout of ToolBench's answer files.

    A search gives a tree, a single path gives chains, as they were imported otherwise. The step that holds
    the answer becomes a call of ``Finish``. Several calls of one step stand below one another.

    What the layout cannot say is left out: which step wrote what, labels, provenance, exchanges, seconds,
    parts of an observation that are no text, and whether an answer is a question to the user.
    """
    kept = Kept.of(trajectory)
    tree = _tree(trajectory)
    source: dict[str, Any] = {"win": trajectory.status in ("answered", "asked")}
    layout = kept.layout or ("tree" if _is_search(trajectory) else "chains")
    nodes = _flat(tree)
    if layout == "tree":
        depth = max(node["depth"] for node in nodes)
        source["tree"] = {"size": len(nodes), "max_length": depth + 1, "tree": tree}
    else:
        chains = _chains(tree)
        source |= {"try_count": len(chains), "trys": chains}
    source["forward_args"] = dict(kept.forward_args) or _settings(trajectory)
    source["compare_candidates"] = _candidates(tree)
    fields = answer_fields(trajectory)
    fields |= kept.answer
    source["answer_generation"] = {name: value for name, value in fields.items() if value is not None}
    return source


def answer_fields(trajectory: Trajectory) -> dict[str, Any]:
    """Return ``answer_generation`` as the trajectory says it; None where the layout leaves a field out."""
    kept = Kept.of(trajectory)
    path = list(turns(trajectory, trajectory.path()))
    end = next((call for call in path[-1].calls if call.ends), None) if path else None
    gave_up = end is not None and end.code != FINISHED
    return {
        "valid_data": end is not None,
        "query_count": trajectory.usage.model_calls,
        "total_tokens": trajectory.usage.input_tokens + trajectory.usage.output_tokens,
        "final_answer": end.arguments if end is not None else "",
        "finish_type": "give_up" if gave_up else "give_answer",
        "function": kept.functions(trajectory),
        "chain": [],
        "train_messages": train_messages(trajectory) if end is not None else None,
        "query": trajectory.task.instruction,
    }


def _is_search(trajectory: Trajectory) -> bool:
    if trajectory.planner.lower().startswith("dfs"):
        return True
    parents = [step.parent for step in trajectory.steps if step.parent is not None]
    return len(set(parents)) < len(parents)


def _settings(trajectory: Trajectory) -> dict[str, Any]:
    """Return the settings of an own rollout under the reference's names, as far as it has any."""
    search = trajectory.settings.get("search")
    search = search if isinstance(search, Mapping) else {}
    found = {
        "single_chain_max_step": search.get("depth", trajectory.budget.steps),
        "tree_beam_size": search.get("width"),
        "max_query_count": search.get("model_calls") or trajectory.budget.model_calls,
        "answer": search.get("answers"),
        "with_filter": False if search else None,
    }
    return {name: value for name, value in found.items() if value is not None}


def _tree(trajectory: Trajectory) -> dict[str, Any]:
    root = _node(INPUT, "", -1)
    last: dict[int | None, dict[str, Any]] = {None: root}
    answered: list[dict[str, Any]] = []
    above: dict[int, dict[str, Any]] = {}
    end = trajectory.answer_step if trajectory.status in ("answered", "asked") else None
    for turn in turns(trajectory, trajectory.steps):
        node = last[turn.parent]
        for child in _nodes(turn, node["depth"]):
            node["children"].append(child)
            node["child_count"] += 1
            above[id(child)] = node
            node = child
        node["expand_num"] = turn.number
        node["pruned"] = turn.pruned
        last[turn.step] = node
        if turn.step == end:
            answered.append(node)
    for node in answered:
        _mark_finished(node, above)
    return root


def _nodes(turn: Turn, depth: int) -> list[dict[str, Any]]:
    found = []
    if turn.thought is not None:
        found.append(_node(THOUGHT, turn.thought, depth))
    for call in turn.calls:
        found.append(_node(ACTION, call.name, depth + len(found)))
        node = _node(INPUT, call.arguments, depth + len(found))
        if call.observation:
            node["observation"] = call.observation
        if call.code is not None:
            node["observation_code"] = call.code
        found.append(node)
    return found or [_node(THOUGHT, "", depth)]


def _node(kind: str, text: str, depth: int) -> dict[str, Any]:
    """Return a node below one of the given depth."""
    node: dict[str, Any] = {
        "is_terminal": False,
        "pruned": False,
        "finished": False,
        "depth": depth + 1,
        "node_type": kind,
        "description": text,
        "Elo": 1000.0,
        "child_count": 0,
        "expand_num": 0,
        "children": [],
    }
    if kind == INPUT:
        node["io_state"] = {}
    return node


def _mark_finished(node: dict[str, Any], above: Mapping[int, dict[str, Any]]) -> None:
    """Mark an answer and what led to it up to the second call before it, as the reference does."""
    left = _FINISHED_INPUTS
    current: dict[str, Any] | None = node
    while current is not None and left >= 0:
        current["finished"] = True
        left -= current["node_type"] == INPUT
        current = above.get(id(current))


def _flat(tree: dict[str, Any]) -> list[dict[str, Any]]:
    found, waiting = [], [tree]
    while waiting:
        node = waiting.pop()
        found.append(node)
        waiting.extend(node["children"])
    return found


def _chains(tree: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"chain": chain, "win": _wins(chain)} for chain in map(_chain, tree["children"])]


def _chain(node: dict[str, Any]) -> list[dict[str, Any]]:
    found = [node]
    while found[-1]["children"]:
        found.append(found[-1]["children"][0])
    return [{name: value for name, value in each.items() if name != "children"} for each in found]


def _wins(chain: list[dict[str, Any]]) -> bool:
    return bool(chain) and chain[-1].get("observation_code") == FINISHED


def _candidates(tree: dict[str, Any]) -> list[list[dict[str, Any]]]:
    """Return the chain to each answer."""
    found: list[list[dict[str, Any]]] = []
    waiting: list[tuple[dict[str, Any], list[dict[str, Any]]]] = [(tree, [])]
    while waiting:
        node, chain = waiting.pop()
        if node.get("observation_code") == FINISHED and not node["children"]:
            found.append(chain)
        for child in reversed(node["children"]):
            said = {name: value for name, value in child.items() if name != "children"}
            waiting.append((child, [*chain, said]))
    return found

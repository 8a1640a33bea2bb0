"""The nodes of ToolBench's trees and chains, grouped into rounds: one turn of the model each.

A round is up to one ``Thought`` node and, for each call, an ``Action`` node above an ``Action Input`` node
that holds what came back. The reference numbers the last node of a round in the order in which it went on
from there (``expand_num``); where the numbers are missing, a round ends at each ``Action Input``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from toolhaft.errors import FormatError
from toolhaft_rapidapi.toolbench.reading import take_list, take_object, take_text

MOST_NODES = 100_000
LONGEST_CHAIN = 2_000
THOUGHT, ACTION, INPUT = "Thought", "Action", "Action Input"
FINISH = "Finish"


@dataclass(frozen=True, slots=True, kw_only=True)
class CallNode:
    """A call with what came back, as the file has it; ``code`` is None where the file has none."""

    name: str
    arguments: str
    observation: str = ""
    code: int | None = None

    @property
    def ends(self) -> bool:
        """Whether it is a ``Finish`` that was understood."""
        return self.name == FINISH and self.code in (3, 4)


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """One turn of the model.

    Attributes:
        parent: Position of the round before it; None at the root.
        thought: Text of its ``Thought`` node; None if it has none.
        number: ``expand_num`` of its last node.
        leaf: Whether nothing comes below it; likewise ``pruned``, that its last node is marked so.
    """

    parent: int | None
    thought: str | None
    calls: tuple[CallNode, ...]
    number: int
    leaf: bool
    pruned: bool


def read_tree(root: Any, where: str) -> list[Round]:
    """Return the rounds of a tree, each after its parent, in the order they were made as far as it is known.

    Raises:
        FormatError: A node is none, or does not stand where it may.
    """
    top = take_object(root, where)
    numbered = any(_number(node) > 0 for node, _ in _nodes(top, where))
    rounds: list[Round] = []
    waiting: list[tuple[dict[str, Any], str, int | None]] = [
        (child, place, None) for child, place in reversed(_children(top, where))
    ]
    while waiting:
        node, place, parent = waiting.pop()
        found, below = _read_round(node, place, parent, numbered)
        rounds.append(found)
        waiting.extend((child, at, len(rounds) - 1) for child, at in reversed(below))
    return _in_order(rounds)


def read_chain(chain: Any, where: str) -> list[Round]:
    """Return the rounds of a chain, a list of nodes without children; raises like `read_tree`."""
    nodes = [take_object(node, f"{where}/{place}") for place, node in enumerate(take_list(chain, where))]
    if len(nodes) > LONGEST_CHAIN:
        raise FormatError(f"{len(nodes):,} nodes in one chain, of at most {LONGEST_CHAIN:,}", where=where)
    if (
        nodes
        and not _number(nodes[0])
        and nodes[0].get("node_type") == INPUT
        and "observation" not in nodes[0]
    ):
        nodes = nodes[1:]
    nested: dict[str, Any] = {"node_type": INPUT, "description": "", "children": []}
    last = nested
    for node in nodes:
        copy = {**node, "children": []}
        last["children"].append(copy)
        last = copy
    return read_tree(nested, where)


def _nodes(root: dict[str, Any], where: str) -> Iterator[tuple[dict[str, Any], str]]:
    waiting, seen = [(root, where)], 0
    while waiting:
        node, place = waiting.pop()
        seen += 1
        if seen > MOST_NODES:
            raise FormatError(f"more than {MOST_NODES:,} nodes", where=where)
        yield node, place
        waiting.extend(_children(node, place))


def _children(node: dict[str, Any], where: str) -> list[tuple[dict[str, Any], str]]:
    children = take_list(node.get("children", []), f"{where}/children")
    places = [f"{where}/children/{position}" for position in range(len(children))]
    return [(take_object(child, place), place) for child, place in zip(children, places, strict=True)]


def _read_round(
    node: dict[str, Any], where: str, parent: int | None, numbered: bool
) -> tuple[Round, list[tuple[dict[str, Any], str]]]:
    """Return the round that begins at a node, and what comes below it."""
    thought = None
    calls: list[CallNode] = []
    while True:
        kind = node.get("node_type")
        below = _children(node, where)
        if kind == THOUGHT:
            thought = _text(node, "description", where)
        elif kind == ACTION:
            if len(below) != 1 or below[0][0].get("node_type") != INPUT:
                raise FormatError("an Action is followed by one Action Input", where=where)
            name = _text(node, "description", where)
            node, where = below[0]
            calls.append(_read_call(name, node, where))
            below = _children(node, where)
        else:
            raise FormatError(f"{str(kind)[:40]!r} cannot begin a round", where=where)
        if len(below) != 1 or _ends_round(node, below[0][0], numbered):
            break
        node, where = below[0]
    found = Round(
        parent=parent,
        thought=thought,
        calls=tuple(calls),
        number=_number(node),
        leaf=not below,
        pruned=node.get("pruned") is True,
    )
    return found, below


def _ends_round(node: dict[str, Any], child: dict[str, Any], numbered: bool) -> bool:
    if child.get("node_type") == THOUGHT or (numbered and _number(node) > 0):
        return True
    return not numbered and node.get("node_type") == INPUT


def _read_call(name: str, node: dict[str, Any], where: str) -> CallNode:
    code = node.get("observation_code")
    if code is not None and (isinstance(code, bool) or not isinstance(code, int)):
        raise FormatError(f"{str(code)[:40]!r} is no status code", where=f"{where}/observation_code")
    observation = node.get("observation", "")
    return CallNode(
        name=name,
        arguments=_text(node, "description", where),
        observation=take_text(observation, f"{where}/observation"),
        code=code,
    )


def _text(node: dict[str, Any], key: str, where: str) -> str:
    return take_text(node.get(key), f"{where}/{key}")


def _number(node: dict[str, Any]) -> int:
    number = node.get("expand_num", 0)
    return number if isinstance(number, int) and not isinstance(number, bool) else 0


def _in_order(rounds: list[Round]) -> list[Round]:
    """Return the rounds by their numbers, if these say an order in which a tree can grow."""
    numbers = [each.number for each in rounds]
    if 0 in numbers or len(set(numbers)) < len(numbers):
        return rounds
    if any(each.parent is not None and rounds[each.parent].number > each.number for each in rounds):
        return rounds
    order = sorted(range(len(rounds)), key=numbers.__getitem__)
    place = {old: new for new, old in enumerate(order)}
    return [_moved(rounds[old], place) for old in order]


def _moved(each: Round, place: dict[int, int]) -> Round:
    return replace(each, parent=place[each.parent]) if each.parent is not None else each

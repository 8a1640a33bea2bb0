"""The tree of a depth-first search, as a state machine that knows nothing of models and tools."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

from toolhaft.errors import UsageError
from toolhaft.planners.evidence import Evidence
from toolhaft.planners.profile import Profile
from toolhaft.types import Message, ToolCall

NodeStatus = Literal[
    "open",
    "expanded",
    "abandoned",
    "dead_end",
    "repeated",
    "gave_up",
    "doubted",
    "answered",
    "asked",
    "refused",
]
SearchStatus = Literal["searching", "answered", "asked", "refused", "exhausted"]

TRANSITIONS: Mapping[NodeStatus, frozenset[NodeStatus]] = MappingProxyType(
    {
        "open": frozenset({"expanded", "dead_end", "abandoned"}),
        "expanded": frozenset({"dead_end", "abandoned"}),
        "abandoned": frozenset({"expanded"}),
        "dead_end": frozenset({"expanded"}),
        "repeated": frozenset(),
        "gave_up": frozenset(),
        "doubted": frozenset(),
        "answered": frozenset(),
        "asked": frozenset(),
        "refused": frozenset(),
    }
)
"""Where a node may go from each status; those that lead nowhere are final. A node is only expanded again when
the search grows wider."""
LEAVES: frozenset[NodeStatus] = frozenset({"repeated", "gave_up", "doubted", "answered", "asked", "refused"})
"""Statuses that a node is made with; no node hangs below one that has them."""


@dataclass(slots=True, kw_only=True, eq=False)
class Node:
    """One decision of the model, with what it led to.

    Attributes:
        step: Its step in the record; -1 for the root.
        parent: The decision before; None for the root.
        depth: How deep it lies below the root, or below the last write that stands.
        calls: What was decided.
        messages: What the decision and its results add to the conversation.
        evidence: What the calls returned.
        told: Writes of abandoned branches that the conversation up to here tells of, by step and position.
        known: The calls on the path since its last write.
        written: Its own calls that changed something.
        unsure: Its own calls that failed, and may have changed something.
        fruitful: Whether an answer was found below.
    """

    step: int = -1
    parent: Node | None = None
    depth: int = 0
    status: NodeStatus = "open"
    calls: tuple[ToolCall, ...] = ()
    messages: tuple[Message, ...] = ()
    evidence: Evidence = Evidence()
    told: frozenset[tuple[int, int]] = frozenset()
    known: frozenset[str] = frozenset()
    written: frozenset[str] = frozenset()
    unsure: frozenset[str] = frozenset()
    fruitful: bool = False
    children: list[Node] = field(default_factory=list)

    def path(self) -> list[Node]:
        """Return the nodes from the root to this one."""
        found = [*self.upwards()]
        return found[::-1]

    def subtree(self) -> Iterator[Node]:
        """Iterate over this node and all below it."""
        waiting = [self]
        while waiting:
            node = waiting.pop()
            yield node
            waiting.extend(node.children)

    def upwards(self) -> Iterator[Node]:
        """Iterate over this node and those above it, the root last."""
        node: Node | None = self
        while node is not None:
            yield node
            node = node.parent


class SearchTree:
    """Where the search stands.

    The model is asked at ``current`` as long as ``status`` is ``searching``. Each of its decisions is handed
    to `grow` or `close`, which move on to where it is to be asked next. `TRANSITIONS` holds for every node.

    Args:
        profile: Width, depth, back-off.

    Attributes:
        width: Decisions that are tried at one point by now.
        left: Nodes that were left, in that order.
        answers: Answers that were found.
    """

    def __init__(self, profile: Profile) -> None:
        self.profile = profile
        self.root = Node(evidence=Evidence())
        self.current = self.root
        self.status: SearchStatus = "searching"
        self.width = profile.width
        self.left: list[Node] = []
        self.answers = 0

    def grow(self, child: Node, *, cost: int = 1) -> None:
        """Hang a decision below the current node and go on there, or back if that is too deep.

        Args:
            child: A new node, open.
            cost: By how much it lies deeper.
        """
        self._attach(child)
        wrote = child.evidence.wrote and not self.profile.past_writes
        child.depth = 0 if wrote else self.current.depth + cost
        self.current = child
        if child.depth >= self.profile.depth:
            self._move(child, "dead_end")
            self._back_off(1)

    def close(self, leaf: Node) -> None:
        """Hang the end of a path below the current node and go back from it, or end the search.

        Args:
            leaf: A new node whose status is one of `LEAVES`.
        """
        if leaf.status not in LEAVES:
            raise UsageError(f"a path does not end {leaf.status!r}", where="search tree")
        self._attach(leaf)
        leaf.depth = self.current.depth
        self.current = leaf
        if leaf.status in ("asked", "refused"):
            self.status = "asked" if leaf.status == "asked" else "refused"
        elif leaf.status == "answered":
            for node in leaf.upwards():
                node.fruitful = True
            self.answers += 1
            if self.answers >= self.profile.answers:
                self.status = "answered"
        if self.status == "searching":
            self._back_off(1 if leaf.status == "repeated" else self.profile.back_off)

    def stands(self, node: Node) -> bool:
        """Whether the search does not go back past a node: it changed something, or somebody refused it.

        Past a refusal the model would be asked, without knowing of it, for another way to the same end.
        """
        return node.evidence.refused or (node.evidence.wrote and not self.profile.past_writes)

    def _attach(self, child: Node) -> None:
        if self.status != "searching":
            raise UsageError("the search is over", where="search tree")
        child.parent = self.current
        if self.current.status == "open":
            self._move(self.current, "expanded")
        self.current.children.append(child)

    def _back_off(self, rounds: int) -> None:
        """Leave nodes until one is reached that has decisions left to try."""
        node, left = self.current, 0
        while node.parent is not None and not self.stands(node):
            if node.status in ("open", "expanded"):
                self._move(node, "abandoned")
            self.left.append(node)
            node = node.parent
            rounds -= 1
            left += 1
            if rounds <= 0 and len(node.children) < self.width:
                self.current = node
                return
            if rounds <= 0 and node.parent is not None and not self.stands(node):
                self._move(node, "dead_end")
        # Where nothing but the end itself could be taken back, no decision is left to make otherwise.
        if left > 1 and len(node.children) < self.width:
            self.current = node
            return
        if node.status in ("open", "expanded"):
            self._move(node, "dead_end")
        self._grow_wider(node)

    def _grow_wider(self, top: Node) -> None:
        """Go on where one more decision can be tried below a node that stands, or end the search."""
        while not self.answers and self.width <= self.profile.widest:
            places = [node for node in top.subtree() if self._has_more(node)]
            if places:
                self.current = max(places, key=lambda node: (len(node.path()), node.step))
                for node in self.current.upwards():
                    if node.status in ("dead_end", "abandoned"):
                        self._move(node, "expanded")
                return
            self.width += 1
        self.status = "answered" if self.answers else "exhausted"

    def _has_more(self, node: Node) -> bool:
        """Whether the model, which decided here before, may have more ideas: it never stopped or repeated."""
        return (
            0 < len(node.children) < self.width
            and not node.evidence.dead_end
            and all(child.status in ("dead_end", "abandoned") for child in node.children)
        )

    @staticmethod
    def _move(node: Node, status: NodeStatus) -> None:
        if status not in TRANSITIONS[node.status]:
            raise UsageError(f"a node that is {node.status} cannot become {status}", where="search tree")
        node.status = status

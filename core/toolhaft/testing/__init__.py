"""For tests: doubles that need no network and no key, and the checks that every plugin should pass.

Doubles: `ScriptedModel`, `CannedTool`, `tool_spec`, `record_trajectory`, `write_distribution`.
Checks: `check_plugin` and `check_in_child` on what is installed, `check_specs` on tools,
`check_retriever`, `check_reranker`, `check_evaluator` and `check_executor` on behaviour. A check returns a
list of `Finding`; empty is good.
"""

from toolhaft.testing.conformance import check_plugin
from toolhaft.testing.contracts import check_evaluator, check_reranker, check_retriever, check_specs
from toolhaft.testing.distribution import write_distribution
from toolhaft.testing.doubles import CannedTool, ScriptedModel, record_trajectory, tool_spec
from toolhaft.testing.executors import check_executor
from toolhaft.testing.finding import Finding
from toolhaft.testing.isolation import check_in_child, load_in_child

__all__ = [
    "CannedTool",
    "Finding",
    "ScriptedModel",
    "check_evaluator",
    "check_executor",
    "check_in_child",
    "check_plugin",
    "check_reranker",
    "check_retriever",
    "check_specs",
    "load_in_child",
    "record_trajectory",
    "tool_spec",
    "write_distribution",
]

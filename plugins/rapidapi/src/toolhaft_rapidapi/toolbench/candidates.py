"""The tools of one query: the APIs it is given, answered by a simulator in this process."""

from __future__ import annotations

from collections.abc import Mapping

from toolhaft.tools.catalog import Catalog
from toolhaft_rapidapi.building import build
from toolhaft_rapidapi.naming import Naming
from toolhaft_rapidapi.record import APIRecord
from toolhaft_rapidapi.tool import Choice, SimulatedTool
from toolhaft_rapidapi.virtual import VirtualAPIs


def simulated_catalog(
    records: Mapping[str, APIRecord],
    *,
    naming: Naming = "readable",
    seed: int = 0,
    apis: VirtualAPIs | None = None,
) -> Catalog:
    """Return the APIs as tools that nothing leaves the process for; every result is labelled.

    Args:
        records: Name -> API.
        naming: Which spelling arguments have.
        seed: Of the simulator.
        apis: Answers them; None makes answers up, and keeps none.
    """
    choice = Choice(mode="virtual", seed=seed)
    answering = apis or VirtualAPIs(seed=seed)
    made = (build(record, name, naming) for name, record in records.items())
    return Catalog(
        [SimulatedTool(built.spec, built.wire, choice, answering) for built in made], name="toolbench"
    )

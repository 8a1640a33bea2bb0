"""Arguments of real operations go through a request and come back: a sample of a corpus, in shards.

The reader of the requests is written from the specification alone (``roundtrip/``); it shares no code with
what writes them. ``make openapi-full`` runs every operation.
"""

import importlib.util
import sys
import warnings
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow  # documents of many megabytes
SHARDS = 16
OPERATIONS = 2000
SEED = 20261121
BAR = 0.995
FOLDER = Path(__file__).parent / "roundtrip"
if "openapi_roundtrip" not in sys.modules:
    SPEC = importlib.util.spec_from_file_location(
        "openapi_roundtrip", FOLDER / "__init__.py", submodule_search_locations=[str(FOLDER)]
    )
    sys.modules["openapi_roundtrip"] = importlib.util.module_from_spec(SPEC)
    SPEC.loader.exec_module(sys.modules["openapi_roundtrip"])


@pytest.mark.parametrize("shard", range(SHARDS))
def test_arguments_come_back(shared, tmp_path, shard):
    from openapi_roundtrip.exclusions import REASONS
    from openapi_roundtrip.sampling import Tally, rows_of, run_document, shards, shares

    folder = shared / "openapi"
    rows = rows_of(folder)
    wanted = shares(rows, OPERATIONS)
    tally = Tally()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what schemathesis says of documents is not ours
        for row in shards(rows, SHARDS)[shard]:
            for outcome in run_document(folder, row, tmp_path, count=wanted[row["name"]], seed=SEED):
                tally.add(outcome)
    counts = dict(tally.statuses)
    print(f"shard {shard}, seed {SEED}: {counts}, {tally.share:.2%} of operations, {tally.excluded}")
    assert tally.excluded.keys() <= REASONS.keys()
    assert len(tally.wrong) <= (1 - BAR) * tally.statuses.total() + 0.5, tally.wrong
    assert tally.statuses["right"] >= 0.95 * tally.statuses.total() - 2, counts

"""Whatever stands in the files of a world: the linter answers, and nothing breaks."""

import copy
import json
import random

import pytest

from toolhaft.world.documents import read_file
from toolhaft.world.lint import lint_world

pytestmark = pytest.mark.slow  # many worlds are read

FILES = ("garden.yaml", "data/garden.yaml", "rules/garden.yaml", "tasks/garden.yaml")
JUNK = [
    *(None, True, 0, -1, 3.5, 10**30, "", "x", "x" * 3_000),
    *("${x}", "${", "${plot_id}", "/", "/garden", "[a=b]"),
    *([], [None], ["x"], {}, {"a": 1}, {"exists": True}),
    *({"list": "plots"}, {"sum": "x", "of": "plots"}, {"count": "plots"}, {"$ref": "#/x"}, {"when": [{}]}),
]
NAMES = ["x", "in", "where", "equals", "$ref", "as", "list", "page", "sort", "when", "each"]


def places(value, path=()):
    """Iterate over the places below a value."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for token, inner in pairs:
        yield (*path, token)
        yield from places(inner, (*path, token))


def spoil(value, draw):
    """Put junk somewhere, take something away, or give it another name."""
    *parents, last = draw.choice(list(places(value)))
    place = value
    for token in parents:
        place = place[token]
    way = draw.randrange(3)
    if way == 0:
        del place[last]
    elif way == 1 and isinstance(place, dict):
        place[draw.choice(NAMES)] = place.pop(last)
    else:
        place[last] = copy.deepcopy(draw.choice(JUNK))


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("file", FILES)
def test_spoilt_files_are_told_of(garden, file, seed):
    draw = random.Random(seed)
    good = json.loads(json.dumps(read_file(garden / file)))
    found = 0
    for _ in range(60):
        spoilt = copy.deepcopy(good)
        for _ in range(draw.choice((1, 1, 3))):
            spoil(spoilt, draw)
        (garden / file).write_text(json.dumps(spoilt))
        findings = lint_world(garden)
        assert all(finding.code and finding.message and len(str(finding)) < 5_000 for finding in findings)
        found += bool(findings)
    assert found > 20

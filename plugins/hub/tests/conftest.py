"""What the tests of this plugin share; they also run alone, away from the repository."""

import json
import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def anyio_backend():
    """Run async tests on asyncio."""
    return "asyncio"


@pytest.fixture(scope="session")
def shared():
    """The folder of real data, where there is one."""
    root = Path(__file__).resolve().parents[3]
    folder = Path(os.environ.get("TOOLHAFT_SHARED", root / "../shared")).resolve() / "data"
    if not folder.is_dir():
        pytest.skip(f"no real data at {folder}: set TOOLHAFT_SHARED")
    return folder


def row(**fields):
    """Return a row in APIBench's layout."""
    return {
        "domain": "Computer Vision Image Classification",
        "framework": "PyTorch",
        "functionality": "Image classification",
        "api_name": "acme/leaf-net",
        "api_call": "torch.hub.load(repo_or_dir='acme/leaves', model='leaf_net', pretrained=True)",
        "api_arguments": {"pretrained": "True", "width": "1.5"},
        "python_environment_requirements": ["torch", "torchvision"],
        "example_code": "import torch\nmodel = torch.hub.load('acme/leaves', 'leaf_net')",
        "performance": {"dataset": "Leaves-9", "accuracy": {"top_1": 81.5}, "Params (M)": 3.2},
        "description": "Tells which tree a leaf is from.",
        **fields,
    }


@pytest.fixture
def write_rows(tmp_path):
    """Return what writes rows, or texts as they are, to a file of JSON Lines."""

    def write(*rows, name="cards.jsonl"):
        path = tmp_path / name
        lines = [each if isinstance(each, str) else json.dumps(each) for each in rows]
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return path

    write.row = row
    return write

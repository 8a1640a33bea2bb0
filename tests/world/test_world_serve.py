"""``toolhaft serve world`` as a process."""

import json
import signal
import subprocess
import sys

import httpx
import pytest

from toolhaft.world.documents import service_names
from toolhaft.world.loading import load_service

pytestmark = pytest.mark.slow  # a process for each


def serve(*arguments):
    code = "from toolhaft.cli.serve import app; app()"
    return subprocess.Popen(
        [sys.executable, "-c", code, "world", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture
def served(request):
    process = serve("--port", "0", *request.param)
    yield process
    if process.poll() is None:
        process.kill()
    process.communicate(timeout=10)


@pytest.mark.parametrize("served", [["--json", "--seed", "2"]], indirect=True)
def test_it_serves_until_interrupted(served):
    lines = []
    while not lines or lines[-1].rstrip() != "}":
        line = served.stdout.readline()
        assert line, served.stderr.read()
        lines.append(line)
    facts = json.loads("".join(lines))
    assert facts["seed"] == 2
    assert tuple(facts["services"]) == service_names()
    shop = facts["services"]["shop"]
    key = facts["environment"]["TOOLHAFT_WORLD_SHOP_KEY"]
    assert httpx.get(f"{shop['url']}/cart").status_code == 401
    assert httpx.get(f"{shop['url']}/cart", headers={"X-Shop-Key": key}).status_code == 200
    assert httpx.get(shop["document"]).json()["servers"] == [{"url": shop["url"]}]
    served.send_signal(signal.SIGINT)
    _, errors = served.communicate(timeout=10)
    assert served.returncode == 0
    assert errors == "The demo world is closed.\n"


@pytest.mark.parametrize("served", [[]], indirect=True)
def test_it_says_where_everything_is_and_how_to_authenticate(served):
    text = ""
    while "in place of" not in text:
        line = served.stdout.readline()
        assert line, served.stderr.read()
        text += line
    for wanted in (
        "/runs/default/travel",
        "/calendar/openapi.yaml",
        "Authorization: Bearer",
        "X-Shop-Key",
        "none",
    ):
        assert wanted in text
    assert text.startswith("The demo world is at http://127.0.0.1:")
    schemes = [scheme for name in service_names() for scheme in load_service(name).schemes]
    assert text.count("  export TOOLHAFT_WORLD_") == len(schemes)


def test_a_world_of_ones_own_goes_by_its_own_title_and_its_tools_are_listed(garden):
    (garden / "world.yaml").write_text("title: Roses")
    process = serve("--port", "0", "--folder", str(garden))
    try:
        lines = []
        while not lines or "Then: toolhaft" not in lines[-1]:
            lines.append(process.stdout.readline())
            assert lines[-1], process.stderr.read()
        assert lines[0].startswith("Roses is at http://127.0.0.1:")
        words = lines[-1].split()
        assert words[:4] == ["Then:", "toolhaft", "tools", "list"]
        code = "from toolhaft.cli.main import main; main()"
        command = [sys.executable, "-c", code, *words[2:]]
        listed = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert (listed.returncode, "leasePlot" in listed.stdout) == (0, True), listed.stderr
        assert "getCart" not in listed.stdout
        process.send_signal(signal.SIGINT)
        assert process.communicate(timeout=10)[1] == "Roses is closed.\n"
        after = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert (after.returncode, after.stdout) == (1, "")
        assert "nobody answers there" in after.stderr
    finally:
        process.kill()
        process.communicate(timeout=10)

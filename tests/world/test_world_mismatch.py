"""Documents and rules that do not fit together are named; a server that has them gives no traceback."""

import logging

import httpx
import pytest

from toolhaft.errors import SpecError
from toolhaft.world.lint import lint_world
from toolhaft.world.server import World

LEASE = "/paths/~1plots~1{plot_id}~1lease/post"


@pytest.mark.parametrize(
    ("old", "new", "pointer", "message"),
    [
        ("/plots/{plot_id}/lease", "/plots/{pid}/lease", "/paths/~1plots~1{pid}~1lease/post", "{plot_id}"),
        ("/plots/{plot_id}/lease", "/plots/lease", "/paths/~1plots~1lease/post", "not stand in the path"),
        ("/plots/{plot_id}/lease", "/plots/{plot-id}", "/paths/~1plots~1{plot-id}/post", "{plot-id}"),
        ("/plots/{plot_id}/lease", "/{plot_id}/{plot_id}", "/paths/~1{plot_id}~1{plot_id}/post", "one name"),
        (
            "      parameters: [{$ref: '#/components/parameters/PlotId'}]",
            "      parameters: [{$ref: '#/components/parameters/PlotId'},"
            " {name: plot_id, in: query, schema: {type: string}}]",
            LEASE,
            "two parameters have one name",
        ),
        ("in: path, required: true", "in: header, required: true", LEASE, "no path parameter is called so"),
    ],
    ids=range(6),
)
def test_parameters_that_do_not_fit_their_path_are_named(garden, old, new, pointer, message):
    file = garden / "garden.yaml"
    assert old in file.read_text()
    file.write_text(file.read_text().replace(old, new, 1))
    with pytest.raises(SpecError) as caught:
        World(folder=garden)
    assert caught.value.where == f"{file}#{pointer}"
    assert message in str(caught.value)
    assert ("service", pointer) in [(finding.code, finding.pointer) for finding in lint_world(garden)]


def test_a_parameter_may_have_any_name_that_code_can_have(garden):
    for name in ("garden.yaml", "rules/garden.yaml"):
        file = garden / name
        text = file.read_text().replace("{plot_id}/lease", "{run}/lease")
        text = text.replace("PlotId: {name: plot_id", "PlotId: {name: run").replace("${plot_id}", "${run}")
        file.write_text(text)
    world = World(folder=garden)
    world.start()
    try:
        headers = {"X-Garden-Key": world.secrets["TOOLHAFT_WORLD_GARDEN_KEY"]}
        url = f"{world.service_url('garden', 'mine')}/plots/P-2/lease"
        answer = httpx.post(url, headers=headers, json={"gardener": "Bo Ek"})
        assert (answer.status_code, answer.json()["plot_id"]) == (201, "P-2")
        assert (
            httpx.get(f"{world.base_url}/runs/mine/state").json()["garden"]["plots"]["P-2"]["free"] is False
        )
    finally:
        world.stop()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("answer: '${lease}'", "answer: {sum_of: {times: ['${plot/metres}', '${plot/free}']}}"),
        ("answer: '${lease}'", "answer: {big: {times: [99999999999999, '${plot/metres}', 99999999999999]}}"),
        (
            "  - {set: '/plots/${plot_id}/free', value: false}",
            "  - {add: '/plots/${plot_id}/free', value: 1}",
        ),
        (
            "  - {set: '/plots/${plot_id}/free', value: false}",
            "  - {set: '/plots/${plot_id}/free', value: false}\n"
            "      - {add: '/leases/L-1/gardener', value: 1}",
        ),
    ],
    ids=["no-number", "too-large", "add-to-truth", "second-row"],
)
def test_a_mistake_of_the_rules_is_a_refusal_without_a_traceback(garden, old, new, caplog, capfd):
    file = garden / "rules" / "garden.yaml"
    assert old in file.read_text()
    file.write_text(file.read_text().replace(old, new, 1))
    world = World(folder=garden)
    before = world.store.state("x")
    world.start()
    try:
        headers = {"X-Garden-Key": world.secrets["TOOLHAFT_WORLD_GARDEN_KEY"]}
        with caplog.at_level(logging.DEBUG):
            answer = httpx.post(
                f"{world.service_url('garden', 'x')}/plots/P-2/lease",
                headers=headers,
                json={"gardener": "Bo"},
            )
        assert answer.status_code == 500
        assert answer.headers["content-type"] == "application/problem+json"
        assert "Traceback" not in caplog.text + "".join(capfd.readouterr())
        if "big" not in new:
            assert world.store.state("x") == before
    finally:
        world.stop()


def test_a_tool_that_takes_other_arguments_than_the_server_is_found(garden):
    file = garden / "garden.yaml"
    file.write_text(
        file.read_text().replace("crop: {type: string, d", "crop: {type: string, readOnly: true, d")
    )
    (finding,) = [finding for finding in lint_world(garden) if finding.code == "arguments-differ"]
    assert "leasePlot" in finding.message
    assert finding.message.endswith(": crop")

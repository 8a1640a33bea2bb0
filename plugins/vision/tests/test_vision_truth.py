"""The tools on real files, against what is known of them, end to end through the catalog."""

import io
import json
import shutil

import pytest

from toolhaft import Artifact, open_catalog

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def truth(shared):
    """Return what is known of each image."""
    return json.loads((shared / "images/ground_truth.json").read_text())["images"]


@pytest.fixture(scope="module")
def catalog():
    """Return the ten tools."""
    return open_catalog("vision:")


@pytest.fixture
def mask_of(catalog):
    """Return the pixels of a picture in a result."""
    import numpy
    from PIL import Image

    def read(artifact):
        assert isinstance(artifact, Artifact)
        with Image.open(io.BytesIO(catalog.artifacts.get(artifact))) as image:
            assert image.size == (artifact.width, artifact.height)
            return numpy.array(image)

    return read


def test_shapes_and_colours(catalog, truth, shared, overlap):
    known = truth["shapes.png"]
    found = catalog.call_sync("find_shapes", image=shared / "images/shapes.png")
    assert found["count"] == known["counts"]["total"]
    assert found["plain_background"]
    for wanted in known["objects"]:
        match = max(found["shapes"], key=lambda each: overlap(each["box"], wanted["box"]))
        assert overlap(match["box"], wanted["box"]) > 0.9
        assert (match["shape"], match["color"]) == (wanted["shape"], wanted["color_name"])
        assert max(abs(a - b) for a, b in zip(match["rgb"], wanted["rgb"], strict=True)) <= 3
        if "center" in wanted:
            assert max(abs(a - b) for a, b in zip(match["center"], wanted["center"], strict=True)) <= 2
    counts = known["counts"]
    shapes = found["by_shape"]
    assert found["by_color"]["red"] == counts["red"]
    assert shapes["rectangle"] + shapes["square"] == counts["rectangle_or_square"]
    assert all(shapes[name] == counts[name] for name in ("circle", "triangle", "hexagon"))


def test_the_circles_among_the_shapes(catalog, truth, shared):
    wanted = [each for each in truth["shapes.png"]["objects"] if each["shape"] == "circle"]
    found = catalog.call_sync("count_circles", image=shared / "images/shapes.png")
    assert found["count"] == len(wanted)
    for each in wanted:
        assert any(
            max(abs(a - b) for a, b in zip(circle["center"], each["center"], strict=True)) <= 2
            and abs(circle["radius"] - each["radius"]) <= 2
            for circle in found["circles"]
        )


def test_coins(catalog, truth, shared):
    known = truth["coins.png"]
    found = catalog.call_sync("count_circles", image=shared / "images/coins.png", overlay=True)
    assert abs(found["count"] - known["coin_count"]) <= known["count_tolerance"]
    assert (found["overlay"].width, found["overlay"].height) == tuple(known["size"])


def lies_on(line, wanted):
    """Whether a line has the ends and the angle of another, within 5 pixels and a degree."""

    def near(end, other):
        return max(abs(a - b) for a, b in zip(end, other, strict=True)) <= 5

    ends = line["start"], line["end"]
    reached = all(any(near(end, other) for other in ends) for end in (wanted["p1"], wanted["p2"]))
    return reached and abs(line["angle"] - wanted["angle_deg"]) <= 1


def test_lines(catalog, truth, shared):
    known = truth["lines_icons.png"]
    found = catalog.call_sync("find_lines", image=shared / "images/lines_icons.png")
    counts = known["line_counts"]
    assert found["count"] == counts["total"]
    assert found["counts"] == {name: counts[name] for name in ("horizontal", "vertical", "diagonal")}
    for wanted in known["line_segments"]:
        (match,) = [line for line in found["lines"] if lies_on(line, wanted)]
        assert abs(match["thickness"] - known["line_width"]) <= 1.5


def test_stars(catalog, truth, shared, overlap):
    known = truth["lines_icons.png"]
    found = catalog.call_sync("find_shapes", image=shared / "images/lines_icons.png", shape="star")
    assert found["count"] == known["template"]["count"]
    assert found["by_color"] == {"orange": 5}
    for wanted in known["stars"]:
        assert max(overlap(star["box"], wanted["box"]) for star in found["shapes"]) > 0.8


@pytest.mark.skipif(shutil.which("tesseract") is None, reason="tesseract is not installed")
def test_text(catalog, truth, shared, overlap):
    known = truth["text_ocr.png"]
    found = catalog.call_sync("read_text", image=shared / "images/text_ocr.png")
    assert found["text"] == known["full_text"]
    for line, wanted in zip(found["lines"], known["lines"], strict=True):
        box = [min(edge, limit) for edge, limit in zip(wanted["box"], known["size"] * 2, strict=True)]
        assert line["text"] == wanted["text"]
        assert overlap(line["box"], box) > 0.9


def test_code(catalog, truth, shared, overlap):
    (wanted,) = truth["qr.png"]["codes"]
    found = catalog.call_sync("read_qr_code", image=shared / "images/qr.png")
    assert [code["text"] for code in found["codes"]] == [wanted["payload"]]
    assert overlap(found["codes"][0]["box"], wanted["box"]) > 0.95


@pytest.mark.parametrize("name", ["astronaut.jpg", "shapes.png"])
def test_faces(catalog, truth, shared, overlap, name):
    wanted = truth[name]["faces"]
    found = catalog.call_sync("find_faces", image=shared / "images" / name)
    assert found["count"] == len(wanted)
    for face in wanted:
        assert max(overlap(each["box"], face["box"]) for each in found["faces"]) >= 0.5


def test_a_shape_is_cut_out(catalog, truth, shared, mask_of):
    import numpy

    circle = truth["shapes.png"]["objects"][0]
    left, top, right, bottom = circle["box"]
    found = catalog.call_sync(
        "remove_background",
        image=shared / "images/shapes.png",
        box=[left - 20, top - 20, right + 20, bottom + 20],
    )
    mask = mask_of(found["mask"]) > 127
    down, across = numpy.indices(mask.shape)
    x, y = circle["center"]
    wanted = (across - x) ** 2 + (down - y) ** 2 <= circle["radius"] ** 2
    assert (mask & wanted).sum() / (mask | wanted).sum() > 0.95
    assert mask_of(found["image"]).shape == (480, 640, 4)


def test_a_portrait_is_cut_out(catalog, truth, shared, mask_of):
    left, top, right, bottom = truth["astronaut.jpg"]["faces"][0]["box"]
    found = catalog.call_sync("remove_background", image=shared / "images/astronaut.jpg")
    assert (mask_of(found["mask"])[top:bottom, left:right] > 127).mean() > 0.9


@pytest.mark.parametrize("name", ["astronaut.jpg", "coins.png", "shapes.png"])
def test_sizes(catalog, truth, shared, mask_of, name):
    width, height = truth[name]["size"]
    path = shared / "images" / name
    half = catalog.call_sync("resize_image", image=path, scale=0.5)
    assert (half["original_width"], half["original_height"]) == (width, height)
    assert mask_of(half["image"]).shape[:2] == (round(height / 2), round(width / 2))
    crop = catalog.call_sync("crop_image", image=path, box=[10, 20, 110, 70])
    assert mask_of(crop["image"]).shape[:2] == (50, 100)
    edges = catalog.call_sync("find_edges", image=path)
    assert mask_of(edges["image"]).shape == (height, width)
    assert 0 < edges["edge_share"] < 0.3


def test_results_are_what_their_schemas_say(catalog, shared):
    import jsonschema

    def handles(value):
        if isinstance(value, Artifact):
            return "img-2"
        if isinstance(value, dict):
            return {key: handles(inner) for key, inner in value.items()}
        return [handles(inner) for inner in value] if isinstance(value, list) else value

    given = {"crop_image": {"box": [0, 0, 5, 5]}, "resize_image": {"width": 50}}
    for name in catalog:
        if name == "read_text" and shutil.which("tesseract") is None:
            continue
        found = catalog.call_sync(name, image=shared / "images/shapes.png", **given.get(name, {}))
        jsonschema.validate(handles(found), catalog.spec(name).returns)
        assert len(found["method"]) > 10
        assert len(found["limits"]) > 10

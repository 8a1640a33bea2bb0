"""The heuristic model on images: which image, which box and which size an instruction means."""

from __future__ import annotations

import struct
import time
import zlib
from typing import Annotated

import pytest

from toolhaft import Agent, Artifact, CallContext, tool
from toolhaft.models.heuristic.policy import decide
from toolhaft.models.heuristic.ranking import ToolIndex
from toolhaft.models.heuristic.regions import find_measures
from toolhaft.types import Message

pytestmark = pytest.mark.slow

Image = Annotated[Artifact, "image/*"]


def make_png(width, height, shade=0):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = zlib.compress((b"\0" + bytes([shade]) * width) * height)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def draw(context, name, width=50, height=40):
    return context.artifacts.put(
        make_png(max(1, width), max(1, height), sum(map(ord, name)) % 251), name=name
    )


@tool(effect="read")
def crop(image: Image, x_min: int, y_min: int, x_max: int, y_max: int, context: CallContext) -> dict:
    """Cut a rectangular part out of an image."""
    return {"image": draw(context, f"crop {image.id}", x_max - x_min, y_max - y_min)}


@tool(effect="read")
def resize(
    image: Image,
    context: CallContext,
    width: int | None = None,
    height: int | None = None,
    factor: float | None = None,
) -> dict:
    """Scale an image to another width and height, or by a factor."""
    return {"image": draw(context, f"resized {image.id}", width or 7, height or 9)}


@tool(effect="read")
def find_edges(image: Image, context: CallContext) -> dict:
    """Detect edges (outlines) in an image and draw them."""
    return {"edge_map": draw(context, f"edges {image.id}"), "share": 0.1}


@tool(effect="read")
def count_round_shapes(image: Image, context: CallContext) -> dict:
    """Count circles and other round objects in an image."""
    return {"count": 3, "overlay": draw(context, f"marked {image.id}", 60)}


@tool(effect="read")
def rotate_image(image: Image, degrees: float, context: CallContext) -> dict:
    """Rotate an image by an angle, counterclockwise."""
    return {"image": draw(context, f"turned {image.id}", 61)}


@tool(effect="read")
def to_grayscale(image: Image, context: CallContext) -> dict:
    """Turn a colour image into shades of grey (black and white)."""
    return {"image": draw(context, f"grey {image.id}", 62)}


@tool(effect="read")
def read_text(image: Image) -> dict:
    """Recognise printed text in an image (OCR)."""
    return {"text": "HELLO 42"}


@tool(effect="read")
def dominant_colors(image: Image, n: int = 5) -> dict:
    """Find the main colours of an image, its palette."""
    return {"colors": [{"name": "red", "share": 0.6}]}


@tool(effect="read")
def blur_image(image: Image, context: CallContext, radius: float = 2.0) -> dict:
    """Blur an image with a Gaussian."""
    return {"image": draw(context, f"blurred {image.id}", 63)}


@tool(effect="read")
def read_codes(image: Image) -> dict:
    """Decode QR codes and barcodes in an image."""
    return {"codes": [{"kind": "QR", "text": "https://x.example"}]}


@tool(effect="read")
def compare_images(first: Image, second: Image) -> dict:
    """Tell how similar two images are."""
    return {"similarity": 0.5}


TOOLS = [
    crop,
    resize,
    find_edges,
    count_round_shapes,
    rotate_image,
    to_grayscale,
    read_text,
    dominant_colors,
    blur_image,
    read_codes,
    compare_images,
]


def cut(left, top, right, bottom, image="img-1"):
    return "crop", {"x_min": left, "y_min": top, "x_max": right, "y_max": bottom, "image": image}


def size(image="img-1", **given):
    return "resize", {**given, "image": image}


def on(name, image="img-2", **given):
    return name, {**given, "image": image}


COUNT, GREY = "count_round_shapes", "to_grayscale"
ROWS = [
    (
        "Crop the picture to the box [60, 60, 180, 180] and count the circles in the result.",
        [cut(60, 60, 180, 180), on(COUNT)],
    ),
    (
        "Cut out the area from (10, 20) to (200, 180), then tell me how many circles are in it.",
        [cut(10, 20, 200, 180), on(COUNT)],
    ),
    (
        "First find the edges in the image and then resize that to 320x240.",
        [on("find_edges", "img-1"), size("img-2", width=320, height=240)],
    ),
    (
        "Resize the photo to half its size, then detect the edges in the smaller version.",
        [size(factor=0.5), on("find_edges")],
    ),
    (
        "Turn the image to greyscale and afterwards rotate the grey version by 90 degrees.",
        [on(GREY, "img-1"), on("rotate_image", degrees=90)],
    ),
    (
        "How many circles does the photo have once it is scaled to 200 pixels wide?",
        [size(width=200), on(COUNT)],
    ),
    (
        "After cropping the image to [0, 0, 120, 120], read the text in the cropped part.",
        [cut(0, 0, 120, 120), on("read_text")],
    ),
    (
        "Count the circles in the photo, then crop the original to the box [6, 6, 18, 18].",
        [on(COUNT, "img-1"), cut(6, 6, 18, 18)],
    ),
    (
        "Count the circles, then rotate the marked image by 90 degrees.",
        [on(COUNT, "img-1"), on("rotate_image", degrees=90)],
    ),
    (
        "Shrink this picture to 100x80 and give me its dominant colours.",
        [size(width=100, height=80), on("dominant_colors")],
    ),
    (
        "Crop from (0, 0) to (160, 120). Then find the edges of that piece.",
        [cut(0, 0, 160, 120), on("find_edges")],
    ),
    (
        "Please take the region x from 40 to 200 and y from 30 to 150 out, and count circles there.",
        [cut(40, 30, 200, 150), on(COUNT)],
    ),
    (
        "Compare the first picture with the second, then resize the first to 64x64.",
        [("compare_images", {"first": "img-1", "second": "img-2"}), size(width=64, height=64)],
    ),
    (
        "Decode the QR code in the photo and then blur the photo with radius 5.",
        [on("read_codes", "img-1"), on("blur_image", "img-1", radius=5)],
    ),
    ("Make the picture 200 pixels wide and then outline its edges.", [size(width=200), on("find_edges")]),
    ("Tell me the number of circles in the box [0, 0, 100, 100].", [cut(0, 0, 100, 100), on(COUNT)]),
    ("Read the text in the upper half of the image.", [cut(0, 0, 400, 150), on("read_text")]),
    ("What colours dominate the left half of the picture?", [cut(0, 0, 200, 300), on("dominant_colors")]),
    (
        "Make a black and white copy of the photo, then blur the copy with a radius of 3.",
        [on(GREY, "img-1"), on("blur_image", radius=3)],
    ),
    ("Before counting the circles, enlarge the picture to twice its size.", [size(factor=2.0), on(COUNT)]),
    (
        "Rotate the picture 90 degrees and compare the rotated version with the original.",
        [on("rotate_image", "img-1", degrees=90), ("compare_images", {"first": "img-2", "second": "img-1"})],
    ),
    (
        "Trim the image to x 20 to 120, y 30 to 90; then scale the trimmed piece by a factor of 3.",
        [cut(20, 30, 120, 90), size("img-2", factor=3.0)],
    ),
    ("Detect edges in both images of the two.", [on("find_edges", "img-1"), on("find_edges")]),
    (
        "Crop img-1 to [5, 5, 50, 50] and rotate img-1 by 45 degrees.",
        [cut(5, 5, 50, 50), on("rotate_image", "img-1", degrees=45)],
    ),
    ("I need the part between (12, 14) and (90, 88) in greyscale.", [cut(12, 14, 90, 88), on(GREY)]),
    ("Take a crop of 100x50 at (20, 30) and read the words in it.", [cut(20, 30, 120, 80), on("read_text")]),
    (
        "Compare a.png with b.png and blur b.png.",
        [("compare_images", {"first": "img-1", "second": "img-2"}), on("blur_image")],
    ),
]


@pytest.mark.parametrize("planner", ["react", "dfsdt"])
@pytest.mark.parametrize(("instruction", "calls"), ROWS, ids=range(len(ROWS)))
def test_which_image_and_which_place(instruction, calls, planner, tmp_path):
    (tmp_path / "a.png").write_bytes(make_png(400, 300))
    (tmp_path / "b.png").write_bytes(make_png(200, 100))
    second = any(word in instruction for word in ("second", "the two", "b.png"))
    files = [tmp_path / "a.png", tmp_path / "b.png"][: 1 + second]
    agent = Agent(TOOLS, model="heuristic", planner=planner, k=len(TOOLS))
    trajectory = agent.run_sync(instruction, artifacts=files).trajectory
    assert trajectory.status == "answered"
    made = [call for step in trajectory.path() for call in step.calls]
    assert [call.name for call in made] == [name for name, _ in calls]
    for call, (_, arguments) in zip(made, calls, strict=True):
        assert {name: call.arguments.get(name) for name in arguments} == arguments
    for observation in trajectory.observations():
        assert all(one.handle in trajectory.answer for one in observation.artifacts())


def test_an_image_that_is_missing_is_asked_for():
    trajectory = Agent(TOOLS, model="heuristic").run_sync("Count the circles in my image.").trajectory
    assert (trajectory.status, trajectory.answer.count("?")) == ("asked", 1)
    assert "image" in trajectory.answer


MEASURES = [
    ("from (10, 20) to (200, 180).", (10, 20, 200, 180)),
    ("between (10,20) and (200,180)", (10, 20, 200, 180)),
    ("the box [60, 60, 180, 180]", (60, 60, 180, 180)),
    ("10, 20, 30, 40", (10, 20, 30, 40)),
    ("from 10,20 to 30,40", (10, 20, 30, 40)),
    ("left 1, top 2, right 3 and bottom 4", (1, 2, 3, 4)),
    ("left=1 top=2 width=3 height=4", (1, 2, 4, 6)),
    ("30x40 at (1, 2)", (1, 2, 31, 42)),
    ("x from 1 to 3 and y from 2 to 4", (1, 2, 3, 4)),
    ("to 320x240.", (320, 240)),
    ("to 320 × 240 pixels", (320, 240)),
    ("200 pixels wide", (200, 0)),
    ("120 px tall", (0, 120)),
    ("a height of 90", (0, 90)),
    ("to half its size", 0.5),
    ("a quarter of its size", 0.25),
    ("twice as large", 2.0),
    ("three times as large", 3.0),
    ("by a factor of 1.5", 1.5),
    ("to 40 %", 0.4),
    ("shrink it by 25 percent", 0.75),
    ("enlarge it by 25%", 1.25),
    ("the top left quarter", (0.0, 0.0, 0.5, 0.5)),
    ("the bottom half", (0.0, 0.5, 1.0, 1.0)),
    ("the middle third", (1 / 3, 1 / 3, 2 / 3, 2 / 3)),
    ("rotate img-1 by 45 degrees", None),
    ("three circles", None),
]


@pytest.mark.parametrize(("text", "said"), MEASURES, ids=[row[0] for row in MEASURES])
def test_places_and_sizes_are_read(text, said):
    found = [one.box or one.part or one.factor or (one.width, one.height) for one in find_measures(text)]
    assert found == ([] if said is None else [pytest.approx(said)])


LONG = [
    "[" * 5000,
    "(1, 2) " * 2500,
    "1 by 2 at " * 1500,
    "x from 1 to 2 " * 1000,
    "half the size of the " * 700,
    "200 x " * 2500,
    "after cropping it " * 900,
    "crop the image and then " * 700,
    "the first the second " * 800,
]


@pytest.mark.parametrize("text", LONG, ids=range(len(LONG)))
def test_long_instructions_are_read_in_time(text):
    photo = Artifact(id="a" * 64, media_type="image/png", size=1, name="a.png", handle="img-1")
    message = Message(role="user", text=text, artifacts=(photo,))
    started = time.monotonic()
    decide([message], tuple(one.spec for one in TOOLS), (), ToolIndex())
    assert time.monotonic() - started < 5.0

"""Two-step instructions in many words, carried out by the built-in heuristic model with the real tools."""

from __future__ import annotations

import pytest

from toolhaft import Agent, open_catalog

pytestmark = pytest.mark.slow

CIRCLES = [
    (60, 60, 25, "red"),
    (150, 60, 25, "blue"),
    (60, 150, 25, "green"),
    (300, 80, 30, "orange"),
    (330, 220, 30, "purple"),
]
"""Centre, radius and colour of what is drawn on 400 by 300 pixels."""


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Five circles, two lines of text, and a QR code, as files."""
    import cv2
    from PIL import Image, ImageDraw, ImageFont

    folder = tmp_path_factory.mktemp("images")
    large = Image.new("RGB", (1600, 1200), "white")
    pen = ImageDraw.Draw(large)
    for x, y, radius, colour in CIRCLES:
        pen.ellipse([4 * (x - radius), 4 * (y - radius), 4 * (x + radius), 4 * (y + radius)], fill=colour)
    large.resize((400, 300), Image.Resampling.LANCZOS).save(folder / "dots.png")
    page = Image.new("RGB", (400, 200), "white")
    pen, font = ImageDraw.Draw(page), ImageFont.load_default(size=44)
    pen.text((30, 25), "INVOICE 4711", fill="black", font=font)
    pen.text((30, 125), "TOTAL 99", fill="black", font=font)
    page.save(folder / "page.png")
    code = cv2.resize(
        cv2.QRCodeEncoder.create().encode("https://x.example/7"), (240, 240), interpolation=cv2.INTER_NEAREST
    )
    code = cv2.copyMakeBorder(code, 30, 30, 30, 30, cv2.BORDER_CONSTANT, value=255)
    cv2.imwrite(str(folder / "code.png"), code)
    return folder


@pytest.fixture(scope="module")
def catalog():
    """All tools of the plugin."""
    with open_catalog("vision:") as tools:
        yield tools


def crop(left, top, right, bottom, image="img-1"):
    return "crop_image", {"box": [left, top, right, bottom], "image": image}


def resize(image="img-1", **size):
    return "resize_image", {**size, "image": image}


def on(tool, image="img-2"):
    return tool, {"image": image}


COUNT, EDGES, TEXT, CODE = "count_circles", "find_edges", "read_text", "read_qr_code"
ROWS = [
    (
        "Crop the picture to [0, 0, 200, 200] and count the circles in the result.",
        "dots",
        [crop(0, 0, 200, 200), on(COUNT)],
        "count: 3",
    ),
    (
        "Keep only what lies between (200, 0) and (400, 300), then count the circles in what is left.",
        "dots",
        [crop(200, 0, 400, 300), on(COUNT)],
        "count: 2",
    ),
    (
        "Cut the image to left 0, top 0, right 200, bottom 200. Count the circles in that part.",
        "dots",
        [crop(0, 0, 200, 200), on(COUNT)],
        "count: 3",
    ),
    (
        "How many circles lie in the box [200, 0, 400, 150]?",
        "dots",
        [crop(200, 0, 400, 150), on(COUNT)],
        "Count: 1",
    ),
    (
        "Clip out the rectangle from 0,0 to 200,100 and tell me the number of circles it holds.",
        "dots",
        [crop(0, 0, 200, 100), on(COUNT)],
        "Count: 2",
    ),
    (
        "Tell me how many circles are in the right half of the drawing.",
        "dots",
        [crop(200, 0, 400, 300), on(COUNT)],
        "Count: 2",
    ),
    (
        "First find the edges of the photo and then resize that to 200x150.",
        "dots",
        [on(EDGES, "img-1"), resize("img-2", width=200, height=150)],
        "img-3",
    ),
    (
        "Detect all edges, and scale the edge map by a factor of 0.5.",
        "dots",
        [on(EDGES, "img-1"), resize("img-2", scale=0.5)],
        "img-3",
    ),
    (
        "Scale the image down to half its size; then find the edges of the smaller picture.",
        "dots",
        [resize(scale=0.5), on(EDGES)],
        "img-3",
    ),
    (
        "Bring the picture to a width of 300 and after that trace its outlines.",
        "dots",
        [resize(width=300), on(EDGES)],
        "img-3",
    ),
    (
        "Make the picture 600 pixels wide, and then count up the circles in it.",
        "dots",
        [resize(width=600), on(COUNT)],
        "count: 5",
    ),
    (
        "After shrinking the image to 50 %, count its circles.",
        "dots",
        [resize(scale=0.5), on(COUNT)],
        "count: 5",
    ),
    (
        "Count the circles after you have enlarged the picture twofold to 800x600.",
        "dots",
        [resize(width=800, height=600), on(COUNT)],
        "count: 5",
    ),
    (
        "Before you count the circles, crop the image to (0, 0), (200, 200).",
        "dots",
        [crop(0, 0, 200, 200), on(COUNT)],
        "count: 3",
    ),
    (
        "Count the circles in the photo. Then crop the original to [20, 20, 100, 100].",
        "dots",
        [on(COUNT, "img-1"), crop(20, 20, 100, 100)],
        "img-2",
    ),
    (
        "Crop it to 100x100 at (10, 10) and resize the cropped piece to 50x50.",
        "dots",
        [crop(10, 10, 110, 110), resize("img-2", width=50, height=50)],
        "img-3",
    ),
    (
        "Crop img-1 to [0, 0, 200, 200], then find the edges of img-1.",
        "dots",
        [crop(0, 0, 200, 200), on(EDGES, "img-1")],
        "img-3",
    ),
    ("Read the text in the top half of the page.", "page", [crop(0, 0, 400, 100), on(TEXT)], "INVOICE 4711"),
    (
        "Cut away everything but the bottom half, then read what is written there.",
        "page",
        [crop(0, 100, 400, 200), on(TEXT)],
        "TOTAL 99",
    ),
    (
        "Double the size of the scan and tell me what it says.",
        "page",
        [resize(scale=2), on(TEXT)],
        "TOTAL 99",
    ),
    (
        "Please extract the area [0, 100, 400, 200] and recognise the text in it.",
        "page",
        [crop(0, 100, 400, 200), on(TEXT)],
        "TOTAL 99",
    ),
    (
        "What text does the picture show once it is cropped to [0, 0, 400, 100]?",
        "page",
        [crop(0, 0, 400, 100), on(TEXT)],
        "INVOICE 4711",
    ),
    (
        "Enlarge the code to 600x600, then decode the QR code.",
        "code",
        [resize(width=600, height=600), on(CODE)],
        "https://x.example/7",
    ),
    (
        "Decode the QR code, then make the original 100 pixels wide.",
        "code",
        [on(CODE, "img-1"), resize(width=100)],
        "https://x.example/7",
    ),
    (
        "Reduce it to 80 % of its size and scan the QR code in the reduced image.",
        "code",
        [resize(scale=0.8), on(CODE)],
        "https://x.example/7",
    ),
    (
        "Find the shapes in the region x from 0 to 200 and y from 0 to 200.",
        "dots",
        [crop(0, 0, 200, 200), on("find_shapes")],
        "green",
    ),
    (
        "Crop the left third away to keep [133, 0, 400, 300], then look for lines in the remainder.",
        "dots",
        [crop(133, 0, 400, 300), on("find_lines")],
        "img-2",
    ),
    (
        "Remove the background and then scale the result to 200x150.",
        "dots",
        [on("remove_background", "img-1"), resize("img-2", width=200, height=150)],
        "200",
    ),
]


@pytest.mark.parametrize(("instruction", "file", "calls", "fact"), ROWS, ids=range(len(ROWS)))
def test_two_steps(instruction, file, calls, fact, files, catalog):
    agent = Agent(catalog, model="heuristic")
    trajectory = agent.run_sync(instruction, artifacts=[files / f"{file}.png"]).trajectory
    made = [call for step in trajectory.steps for call in step.calls]
    assert [call.name for call in made] == [name for name, _ in calls]
    for call, (_, arguments) in zip(made, calls, strict=True):
        assert {name: call.arguments.get(name) for name in arguments} == arguments
    assert fact.lower() in trajectory.answer.lower()

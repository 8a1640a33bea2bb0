"""One instruction in many voices: curt, polite and long, and by people whose language is another one."""

from __future__ import annotations

import pytest

from toolhaft import Agent, open_catalog

pytestmark = pytest.mark.slow

CIRCLES = [
    (100, 100, 40, "red"),
    (250, 100, 30, "blue"),
    (100, 300, 40, "green"),
    (450, 120, 50, "orange"),
    (500, 320, 30, "purple"),
]
"""Centre, radius and colour of what is drawn on 600 by 400 pixels."""
TOOLS = {
    "crop": "crop_image",
    "resize": "resize_image",
    "count": "count_circles",
    "edges": "find_edges",
    "text": "read_text",
    "code": "read_qr_code",
    "lines": "find_lines",
    "shapes": "find_shapes",
    "cutout": "remove_background",
}


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Five circles, a note of two lines, a QR code, and a square, a triangle and two lines, as files."""
    import cv2
    from PIL import Image, ImageDraw, ImageFont

    folder = tmp_path_factory.mktemp("images")
    large = Image.new("RGB", (2400, 1600), "white")
    pen = ImageDraw.Draw(large)
    for x, y, radius, colour in CIRCLES:
        pen.ellipse([4 * (x - radius), 4 * (y - radius), 4 * (x + radius), 4 * (y + radius)], fill=colour)
    large.resize((600, 400), Image.Resampling.LANCZOS).save(folder / "dots.png")
    note = Image.new("RGB", (500, 300), "white")
    pen, font = ImageDraw.Draw(note), ImageFont.load_default(size=48)
    pen.text((40, 40), "MEETING 1430", fill="black", font=font)
    pen.text((40, 200), "ROOM 512", fill="black", font=font)
    note.save(folder / "note.png")
    code = cv2.QRCodeEncoder.create().encode("PARCEL-90210")
    code = cv2.resize(code, (300, 300), interpolation=cv2.INTER_NEAREST)
    cv2.imwrite(
        str(folder / "tag.png"), cv2.copyMakeBorder(code, 50, 50, 50, 50, cv2.BORDER_CONSTANT, value=255)
    )
    sheet = Image.new("RGB", (600, 400), "white")
    pen = ImageDraw.Draw(sheet)
    pen.rectangle((50, 50, 149, 149), fill="blue")
    pen.polygon([(450, 50), (400, 150), (500, 150)], fill="red")
    pen.line((50, 300, 550, 300), fill="black", width=4)
    pen.line((300, 220, 300, 380), fill="black", width=4)
    sheet.save(folder / "sheet.png")
    return folder


@pytest.fixture(scope="module")
def catalog():
    """All tools of the plugin."""
    with open_catalog("vision:") as tools:
        yield tools


def read_step(step):
    """Return the call that ``2 crop 0 0 9 9`` stands for: crop img-2 to that box."""
    image, name, *rest = step.split()
    arguments = {"image": f"img-{image}"}
    if name == "crop":
        arguments["box"] = [int(one) for one in rest]
    elif name == "resize":
        arguments |= {key: float(value) for key, _, value in (one.partition("=") for one in rest)}
    return TOOLS[name], arguments


ROWS = [
    ("Crop 0,0,300,200. Count circles.", "dots", "1 crop 0 0 300 200; 2 count", "2"),
    ("Edge-detect, then halve.", "dots", "1 edges; 2 resize scale=0.5", ""),
    ("Left half: how many circles?", "dots", "1 crop 0 0 300 400; 2 count", "3"),
    ("OCR bottom half.", "note", "1 crop 0 150 500 300; 2 text", "ROOM 512"),
    ("Upscale x2, decode QR.", "tag", "1 resize scale=2; 2 code", "PARCEL-90210"),
    ("Crop [0,0,300,400], edges.", "dots", "1 crop 0 0 300 400; 2 edges", ""),
    ("Shapes in right half?", "sheet", "1 crop 300 0 600 400; 2 shapes", "triangle"),
    (
        "Could you please be so kind as to cut out the part of the picture that goes from (0, 0) to"
        " (300, 200), and afterwards let me know how many circles you can see in it?",
        "dots",
        "1 crop 0 0 300 200; 2 count",
        "2",
    ),
    (
        "I would be grateful if you first enlarged the photograph to twice its original size and "
        "then read out to me whatever is written on it.",
        "note",
        "1 resize scale=2; 2 text",
        "ROOM 512",
    ),
    (
        "Would you mind looking only at the right-hand half of this drawing and telling me how many"
        " round dots it contains? Thank you very much in advance.",
        "dots",
        "1 crop 300 0 600 400; 2 count",
        "2",
    ),
    (
        "Please find all the edges in my picture, and once that is done, be so good as to make the "
        "resulting image 300 pixels wide.",
        "dots",
        "1 edges; 2 resize width=300",
        "",
    ),
    (
        "I was wondering whether you could make the picture exactly 450 pixels wide for me and then"
        " have a look at how many circles there are in it.",
        "dots",
        "1 resize width=450; 2 count",
        "5",
    ),
    (
        "The label that I attached carries a QR code which is a bit small. Please blow it up to 800"
        " by 800 pixels and then tell me what the code contains.",
        "tag",
        "1 resize width=800 height=800; 2 code",
        "PARCEL-90210",
    ),
    (
        "Kindly restrict yourself to the rectangle with the corners 400, 50 and 500, 150 of the "
        "drawing and tell me which shapes you find inside of it.",
        "sheet",
        "1 crop 400 50 500 150; 2 shapes",
        "triangle",
    ),
    (
        "Please to cut image from 0,0 until 300,200 and after say me how much circles is there.",
        "dots",
        "1 crop 0 0 300 200; 2 count",
        "2",
    ),
    (
        "Make photo two times more big and then read me what stands on it.",
        "note",
        "1 resize scale=2; 2 text",
        "ROOM 512",
    ),
    ("In the half of left, how many circles it has?", "dots", "1 crop 0 0 300 400; 2 count", "3"),
    (
        "Do the edges of the image, later put the size to 300 x 200.",
        "dots",
        "1 edges; 2 resize width=300 height=200",
        "",
    ),
    (
        "Change size of image to width 450 and count circles inside.",
        "dots",
        "1 resize width=450; 2 count",
        "5",
    ),
    (
        "The QR is too small, make it bigger 2 times and then read him.",
        "tag",
        "1 resize scale=2; 2 code",
        "PARCEL-90210",
    ),
    (
        "Which figures are on right side half of the drawing?",
        "sheet",
        "1 crop 300 0 600 400; 2 shapes",
        "triangle",
    ),
    ("Grab 0,200,300,400 & count circles", "dots", "1 crop 0 200 300 400; 2 count", "1"),
    ("Lower half -> OCR", "note", "1 crop 0 150 500 300; 2 text", "ROOM 512"),
    ("bottom right quarter. circles?", "dots", "1 crop 300 200 600 400; 2 count", "1"),
    ("Enlarge to 800 wide + QR decode", "tag", "1 resize width=800; 2 code", "PARCEL-90210"),
    ("crop 400x300 from 100,50, find lines", "sheet", "1 crop 100 50 500 350; 2 lines", ""),
    ("Lines, left half only", "sheet", "1 crop 0 0 300 400; 2 lines", ""),
    ("shapes + colors in [0,0,300,200]", "sheet", "1 crop 0 0 300 200; 2 shapes", "blue"),
    (
        "Good morning! Could you tell me, if it is no bother, how many of the circles in this "
        "picture are located in its lower half?",
        "dots",
        "1 crop 0 200 600 400; 2 count",
        "2",
    ),
    (
        "Could I ask you to look at the upper left quarter of my drawing and to list the shapes you"
        " can identify in there?",
        "sheet",
        "1 crop 0 0 300 200; 2 shapes",
        "blue",
    ),
    (
        "The writing on my note is somewhat tiny, so please magnify the picture by a factor of 2.5 "
        "first, and after that let me have the text.",
        "note",
        "1 resize scale=2.5; 2 text",
        "MEETING",
    ),
    (
        "Please be so good as to double the size of this image. I would then like to know which "
        "code it contains; it is a QR code.",
        "tag",
        "1 resize scale=2; 2 code",
        "PARCEL-90210",
    ),
    (
        "My colleague claims that there are three circles on the left half of this picture. Could "
        "you please check that by cropping and counting?",
        "dots",
        "1 crop 0 0 300 400; 2 count",
        "3",
    ),
    (
        "Could you kindly make a copy of the picture that is 400 pixels in width, and in that copy,"
        " count the round objects?",
        "dots",
        "1 resize width=400; 2 count",
        "5",
    ),
    (
        "Please take a look at the box with left 400, top 50, right 500 and bottom 150, and tell me"
        " what kind of shape is drawn there.",
        "sheet",
        "1 crop 400 50 500 150; 2 shapes",
        "triangle",
    ),
    (
        "From picture take piece 0,0 - 300,200 and calculate how many circles are.",
        "dots",
        "1 crop 0 0 300 200; 2 count",
        "2",
    ),
    (
        "Do bigger the image 2 times, after it recognize the text.",
        "note",
        "1 resize scale=2; 2 text",
        "ROOM 512",
    ),
    (
        "It is need to count round things in right half of image.",
        "dots",
        "1 crop 300 0 600 400; 2 count",
        "2",
    ),
    (
        "I need from you to make image size 300x200 and to count circles on him.",
        "dots",
        "1 resize width=300 height=200; 2 count",
        "5",
    ),
    ("Augment the picture by 2 and read the QR.", "tag", "1 resize scale=2; 2 code", "PARCEL-90210"),
    ("Which forms there is in the left half of this draw?", "sheet", "1 crop 0 0 300 400; 2 shapes", "blue"),
    ("Say how many lines we can see on bottom half.", "sheet", "1 crop 0 200 600 400; 2 lines", "2"),
    ("Edge-detect the picture and crop it to 0,0,100,100.", "dots", "1 edges; 2 crop 0 0 100 100", ""),
    ("Run OCR on the region 30,20,480,100.", "note", "1 crop 30 20 480 100; 2 text", "MEETING"),
    ("Find out how many circles there are in the left half.", "dots", "1 crop 0 0 300 400; 2 count", "3"),
    ("Find out how many circles there are.", "dots", "1 count", "5"),
    (
        "Find the edges. Then do the same for the left half.",
        "dots",
        "1 edges; 1 crop 0 0 300 400; 3 edges",
        "",
    ),
    ("w=250; circles", "dots", "1 resize width=250; 2 count", "5"),
    ("Edges. Crop 10,10,60,60.", "dots", "1 edges; 2 crop 10 10 60 60", ""),
    ("only 0,0,300,400: shapes", "sheet", "1 crop 0 0 300 400; 2 shapes", "blue"),
    ("QR, 1.5x bigger", "tag", "1 resize scale=1.5; 2 code", "PARCEL-90210"),
    ("Lower third: any text?", "note", "1 crop 0 200 500 300; 2 text", "ROOM"),
    ("find circles, box 200 50 300 150", "dots", "1 crop 200 50 300 150; 2 count", "1"),
    (
        "Please could you enlarge this picture threefold and decode the QR code that is on it?",
        "tag",
        "1 resize scale=3; 2 code",
        "PARCEL-90210",
    ),
]


@pytest.mark.parametrize(("instruction", "file", "steps", "fact"), ROWS, ids=range(len(ROWS)))
def test_every_voice_is_understood(instruction, file, steps, fact, files, catalog):
    agent = Agent(catalog, model="heuristic")
    trajectory = agent.run_sync(instruction, artifacts=[files / f"{file}.png"]).trajectory
    made = [call for step in trajectory.steps for call in step.calls]
    assert [(call.name, dict(call.arguments)) for call in made] == [
        (name, pytest.approx(arguments) if name == "resize_image" else arguments)
        for name, arguments in map(read_step, steps.split("; "))
    ]
    assert fact.lower() in trajectory.answer.lower()


@pytest.mark.parametrize("verb", ["Sharpen", "Colourise"])
def test_what_no_tool_can_do_is_said(verb, files, catalog):
    agent = Agent(catalog, model="heuristic")
    instruction = f"{verb} the picture and count the circles."
    assert verb in agent.run_sync(instruction, artifacts=[files / "dots.png"]).answer

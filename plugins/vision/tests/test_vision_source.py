"""The tools as data: opened, described and kept without anything heavy."""

import subprocess
import sys

import pytest

from toolhaft import open_catalog
from toolhaft.errors import SpecError, UnknownNameError
from toolhaft.testing import tool_spec
from toolhaft_vision.results import NewPicture, as_json, schema_of
from toolhaft_vision.segments import join, pair, segment
from toolhaft_vision.source import TOOLS, VisionSource
from toolhaft_vision.tesseract import read_table

NAMES = (
    "crop_image",
    "resize_image",
    "find_edges",
    "find_lines",
    "find_shapes",
    "count_circles",
    "read_text",
    "read_qr_code",
    "find_faces",
    "remove_background",
)


@pytest.mark.parametrize(
    ("location", "names"),
    [
        ("vision:", NAMES),
        ("vision:read_text", ("read_text",)),
        ("vision: find_lines, crop_image,", ("find_lines", "crop_image")),
    ],
    ids=["all", "one", "two"],
)
def test_a_location_names_tools(location, names):
    assert open_catalog(location).names == names


def test_an_unknown_tool_is_named_with_the_nearest():
    with pytest.raises(UnknownNameError, match="crop_images") as error:
        open_catalog("vision:crop_images")
    assert error.value.nearest[0] == "crop_image"


@pytest.mark.parametrize("name", NAMES)
def test_every_spec_tells_all_a_model_needs(name):
    spec = open_catalog("vision:").spec(name)
    assert spec.effect == "read"
    assert spec.untrusted == (name in ("read_text", "read_qr_code"))
    assert all((spec.timeout, spec.concurrency, spec.examples))
    assert len(spec.description) > 60
    assert spec.properties["image"]["format"] == "artifact"
    assert spec.properties["image"]["contentMediaType"] == "image/*"
    assert all(schema.get("description") for schema in spec.properties.values())
    assert {"method", "limits"} <= set(spec.returns["required"])


@pytest.mark.parametrize("name", NAMES)
def test_the_examples_fit_the_schema(name):
    catalog = open_catalog("vision:")
    for example in catalog.spec(name).examples:
        catalog.check(catalog.spec(name), example)


def test_opening_imports_nothing_heavy():
    code = (
        "import sys; from toolhaft import open_catalog; list(open_catalog('vision:').specs()); "
        "print([m for m in ('numpy', 'cv2', 'PIL', 'skimage', 'scipy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_binding_chooses_a_tool_and_nothing_else():
    source = VisionSource()
    given = tool_spec("pictures_crop", effect="irreversible")
    made = source.bind(given, {"kind": "vision", "tool": "crop_image", "function": "os:system"})
    assert made.spec.name == "pictures_crop"
    assert made.spec.effect == "read"
    assert made.binding() == {"kind": "vision", "tool": "crop_image"}
    for binding in ({}, {"tool": "os:system"}, {"tool": ["crop_image"]}):
        with pytest.raises(SpecError, match="no image tool"):
            source.bind(given, binding)


def test_the_schema_of_a_result_type_is_closed():
    for name in TOOLS:
        schema = open_catalog("vision:").spec(name).returns
        assert schema["additionalProperties"] is False
    with pytest.raises(TypeError, match="no JSON Schema"):
        schema_of(set)


def test_pictures_in_a_result_are_kept():
    picture = NewPicture(data=b"x", width=1, height=1, name="a.png")
    assert as_json({"a": (picture, None), "b": 1.5}, lambda new: f"kept {new.name}") == {
        "a": ["kept a.png", None],
        "b": 1.5,
    }


def test_pieces_of_a_line_are_joined_across_small_gaps_only():
    pieces = [segment(0, 10, 40, 10), segment(45, 10.4, 90, 10), segment(200, 10, 240, 10)]
    joined = join(pieces, gap=12)
    assert [round(each.length) for each in joined] == [90, 40]
    assert len(join([segment(0, 0, 40, 0), segment(0, 3, 40, 3)], gap=12)) == 2
    assert len(join([segment(0, 0, 40, 0), segment(40, 0, 40, 40)], gap=12)) == 2
    assert len(join([segment(0, 0, 16, 0), segment(26, 0, 42, 0)], gap=12)) == 2


def test_two_sides_of_a_stroke_are_one_line():
    sides = [segment(0, 10, 100, 10), segment(98, 14, 2, 14)]
    (line,) = pair(sides, thickest=8)
    assert (round(line.thickness), round(line.y), round(line.length)) == (4, 12, 100)
    assert len(pair(sides, thickest=3)) == 2
    assert len(pair([segment(0, 10, 100, 10), segment(0, 14, 100, 14)], thickest=8)) == 2


HEADING = "level\tpage_num\tblock_num\tpar_num\tline_num\tword_num\tleft\ttop\twidth\theight\tconf\ttext\n"


@pytest.mark.parametrize(
    ("rows", "lines"),
    [
        (
            "5\t1\t1\t1\t1\t1\t1\t2\t3\t4\t96.5\tone\n5\t1\t1\t1\t2\t1\t1\t9\t3\t4\t90\ttwo\n",
            [["one"], ["two"]],
        ),
        (
            "5\t1\t1\t1\t1\t1\t1\t2\t3\t4\t96.5\tone\n5\t1\t1\t1\t1\t2\t8\t2\t3\t4\t-1\ttwo\n",
            [["one", "two"]],
        ),
        ("4\t1\t1\t1\t1\t0\t1\t2\t3\t4\t-1\t\n5\t1\t1\t1\t1\t1\t1\t2\t3\t4\t96.5\t  \n", []),
        ("5\t1\t1\t1\t1\t1\tx\t2\t3\t4\t96.5\tone\n5\tbroken\n\n", []),
        ("5\t1\t1\t1\t1\t1\t1\t2\t3\t4\t96.5\ta\tb\r\n", [["a"]]),
        ("", []),
    ],
    ids=["lines", "words", "blank", "malformed", "tab", "nothing"],
)
def test_the_table_of_words_is_read(rows, lines):
    assert [[row["text"] for row in line] for line in read_table(HEADING + rows)] == lines

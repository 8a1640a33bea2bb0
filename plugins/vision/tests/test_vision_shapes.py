"""Shapes and colours of drawings that are known."""

import math

import pytest

pytestmark = pytest.mark.slow

COLOURS = {
    "red": (200, 30, 30),
    "green": (40, 150, 60),
    "blue": (30, 60, 200),
    "yellow": (250, 220, 40),
    "orange": (250, 140, 20),
    "purple": (120, 40, 160),
    "pink": (255, 170, 190),
    "magenta": (230, 20, 230),
    "brown": (120, 70, 30),
    "cyan": (40, 200, 220),
    "black": (10, 10, 10),
    "grey": (128, 128, 128),
    "white": (255, 255, 255),
}
CORNERS = {"triangle": 3, "pentagon": 5, "hexagon": 6, "octagon": 8}
KINDS = ("circle", "ellipse", "square", "rectangle", "star", "cross", *CORNERS)


def outline(kind, x, y, radius, turn):
    """Return the points of a shape, not turned upright."""

    def at(distance, degrees):
        angle = math.radians(degrees + turn)
        return x + distance * math.sin(angle), y - distance * math.cos(angle)

    def corners(across, down):
        return [
            at(math.hypot(a, b), math.degrees(math.atan2(a, b)))
            for a, b in ((-across, -down), (across, -down), (across, down), (-across, down))
        ]

    if kind in CORNERS:
        return [[at(radius, 360 * n / CORNERS[kind]) for n in range(CORNERS[kind])]]
    if kind in ("circle", "ellipse"):
        flat = 1 if kind == "circle" else 0.55
        steps = [math.tau * n / 180 for n in range(180)]
        return [[(x + radius * math.cos(each), y + flat * radius * math.sin(each)) for each in steps]]
    if kind == "star":
        return [[at(radius if n % 2 == 0 else 0.45 * radius, 36 * n) for n in range(10)]]
    if kind == "cross":
        return [corners(0.9 * radius, 0.3 * radius), corners(0.3 * radius, 0.9 * radius)]
    return [corners(*((0.7 * radius,) * 2 if kind == "square" else (0.9 * radius, 0.5 * radius)))]


def sheet(things):
    def paint(drawing, finer):
        for kind, colour, x, y, radius, turn in things:
            for points in outline(kind, x, y, radius, turn):
                drawing.polygon([(a * finer, b * finer) for a, b in points], fill=COLOURS[colour])

    return paint


def things(size, ground, seed):
    import numpy

    random = numpy.random.default_rng(seed)
    wide, high = size[0] / 3, size[1] / 2
    usable = [name for name, rgb in COLOURS.items() if sum(map(abs, numpy.subtract(rgb, ground))) > 120]
    return [
        (
            KINDS[random.integers(len(KINDS))],
            usable[random.integers(len(usable))],
            wide * (place % 3 + 0.5),
            high * (place // 3 + 0.5),
            float(random.uniform(0.25, 0.42)) * min(wide, high),
            float(random.uniform(0, 90)),
        )
        for place in range(6)
    ]


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize(
    ("size", "ground", "options"),
    [
        ((420, 300), (255, 255, 255), {}),
        ((900, 640), (30, 30, 40), {"grain": 6}),
        ((700, 500), (180, 200, 220), {"grain": 12}),
        ((640, 480), (245, 240, 220), {"finer": 1}),
    ],
    ids=["white", "dark", "grainy", "jagged"],
)
def test_shapes_and_colours_are_named(painted, size, ground, options, seed):
    from toolhaft_vision.shapes import find_shapes

    drawn = things(size, ground, seed)
    found = find_shapes(painted(size, ground, sheet(drawn), seed=seed, **options))
    assert found.count == 6
    assert found.plain_background
    for kind, colour, x, y, _, _ in drawn:
        match = min(found.shapes, key=lambda each: math.dist(each.center, (x, y)))
        assert (match.shape, match.color) == (kind, colour)
        assert match.filled
        assert not match.touches_border


def rectangles(*given):
    def paint(drawing, finer):
        for box, colour in given:
            drawing.rectangle([each * finer for each in box], fill=colour)

    return paint


def test_boxes_and_areas_are_exact(painted):
    from toolhaft_vision.shapes import find_shapes

    picture = painted((200, 150), (255, 255, 255), rectangles(((20, 30, 99, 69), (0, 0, 200))), finer=1)
    (shape,) = find_shapes(picture).shapes
    assert shape.box == (20, 30, 100, 70)
    assert shape.area == 80 * 40
    assert shape.center in ((60, 50), (59, 49), (60, 49), (59, 50))
    assert shape.rgb == (0, 0, 200)


def test_a_shape_at_the_border_says_so(painted):
    from toolhaft_vision.shapes import find_shapes

    picture = painted((200, 150), (255, 255, 255), rectangles(((150, 30, 210, 69), (0, 0, 200))), finer=1)
    (shape,) = find_shapes(picture).shapes
    assert shape.touches_border
    assert shape.box == (150, 30, 200, 70)


def test_touching_shapes_of_two_colours_are_two(painted):
    from toolhaft_vision.shapes import find_shapes

    both = rectangles(((20, 30, 99, 89), (0, 0, 200)), ((100, 30, 179, 89), (220, 30, 30)))
    found = find_shapes(painted((200, 150), (255, 255, 255), both, finer=1))
    assert found.by_color == {"blue": 1, "red": 1}
    assert found.by_shape == {"rectangle": 2}


def test_a_shape_on_a_shape_is_found(painted):
    from toolhaft_vision.shapes import find_shapes

    both = rectangles(((20, 20, 159, 129), (0, 0, 200)), ((60, 50, 109, 99), (250, 220, 30)))
    found = find_shapes(painted((200, 150), (255, 255, 255), both, finer=1))
    assert {(each.color, each.shape) for each in found.shapes} == {
        ("blue", "rectangle"),
        ("yellow", "square"),
    }


def test_an_outline_is_not_filled(painted):
    from toolhaft_vision.shapes import find_shapes

    def ring(drawing, finer):
        drawing.ellipse([each * finer for each in (20, 20, 120, 120)], outline=(200, 0, 0), width=4 * finer)

    (shape,) = find_shapes(painted((150, 150), (255, 255, 255), ring)).shapes
    assert (shape.shape, shape.filled) == ("circle", False)


def test_touching_shapes_of_one_colour_are_one(painted):
    """A limit that the result states."""
    from toolhaft_vision.shapes import find_shapes

    both = rectangles(((20, 30, 99, 89), (0, 0, 200)), ((90, 60, 179, 119), (0, 0, 200)))
    found = find_shapes(painted((200, 150), (255, 255, 255), both, finer=1))
    assert found.count == 1
    assert "count as one" in found.limits


def test_shapes_are_chosen_by_colour_shape_and_area(painted):
    from toolhaft_vision.shapes import find_shapes

    drawn = [
        ("circle", "red", 60, 60, 40, 0),
        ("square", "red", 180, 60, 50, 10),
        ("circle", "blue", 300, 60, 20, 0),
    ]
    picture = painted((360, 120), (255, 255, 255), sheet(drawn))
    assert find_shapes(picture, color="red").count == 2
    assert find_shapes(picture, shape="circle").by_color == {"red": 1, "blue": 1}
    assert find_shapes(picture, color="blue", shape="square").count == 0
    assert find_shapes(picture, minimum_area=3000).count == 2


@pytest.mark.parametrize("size", [(1, 1), (5000, 10), (7, 9), (300, 200)], ids=str)
def test_one_colour_has_no_shapes(painted, size):
    from toolhaft_vision.shapes import find_shapes

    found = find_shapes(painted(size, (30, 150, 60), lambda drawing, finer: None, finer=1))
    assert found.count == 0
    assert found.background == "green"


def test_a_picture_without_a_plain_ground_says_so(painted):
    from toolhaft_vision.shapes import find_shapes

    picture = painted((200, 150), (128, 128, 128), lambda drawing, finer: None, finer=1, grain=120)
    assert not find_shapes(picture).plain_background


@pytest.mark.parametrize(
    ("rgb", "name"),
    [
        ((255, 0, 0), "red"),
        ((128, 0, 0), "red"),
        ((255, 165, 0), "orange"),
        ((255, 215, 0), "yellow"),
        ((0, 128, 0), "green"),
        ((128, 128, 0), "yellow"),
        ((0, 255, 255), "cyan"),
        ((0, 0, 128), "blue"),
        ((135, 206, 235), "blue"),
        ((128, 0, 128), "purple"),
        ((255, 0, 255), "magenta"),
        ((255, 192, 203), "pink"),
        ((255, 105, 180), "pink"),
        ((139, 69, 19), "brown"),
        ((0, 0, 0), "black"),
        ((105, 105, 105), "grey"),
        ((250, 250, 245), "white"),
    ],
    ids=str,
)
def test_colours_have_their_everyday_names(rgb, name):
    from toolhaft_vision.colours import colour_name

    assert colour_name(*rgb) == name

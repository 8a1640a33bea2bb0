"""Edges and lines of drawings whose lines are known."""

import math

import pytest

pytestmark = pytest.mark.slow


def strokes(*lines, width=3, colour=(20, 20, 20)):
    def paint(drawing, finer):
        for line in lines:
            drawing.line([each * finer for each in line], fill=colour, width=width * finer)

    return paint


def near(found, line, most=6):
    ends = [found.start, found.end]
    wanted = [line[:2], line[2:]]
    return any(
        max(math.dist(a, b) for a, b in zip(ends, order, strict=True)) <= most
        for order in (wanted, wanted[::-1])
    )


CROSS = ((30, 100, 290, 100), (160, 20, 160, 180))
GRID = tuple((20, y, 480, y) for y in range(60, 301, 60)) + tuple((x, 20, x, 340) for x in range(60, 441, 76))


@pytest.mark.parametrize(
    ("size", "ground", "lines", "options"),
    [
        ((320, 200), (255, 255, 255), CROSS, {}),
        ((320, 200), (10, 10, 30), CROSS, {"colour": (250, 240, 90), "width": 2}),
        ((500, 360), (240, 240, 240), GRID, {"width": 2}),
        ((400, 400), (255, 255, 255), ((20, 20, 380, 200), (20, 380, 380, 210)), {"width": 5}),
        ((300, 300), (255, 255, 255), (), {}),
        ((900, 120), (200, 220, 210), ((10, 20, 890, 110),), {"width": 1}),
        ((1600, 1200), (255, 255, 255), ((100, 100, 1500, 1100), (100, 1100, 1500, 1100)), {"width": 6}),
    ],
    ids=["cross", "light-on-dark", "grid", "slopes", "none", "long", "large"],
)
def test_every_line_is_found_once(painted, size, ground, lines, options):
    from toolhaft_vision.lines import find_lines

    found = find_lines(painted(size, ground, strokes(*lines, **options)))
    assert found.count == len(found.lines) == len(lines)
    for line in lines:
        (match,) = [each for each in found.lines if near(each, line)]
        assert match.kind == "stroke"
        assert match.thickness == pytest.approx(options.get("width", 3), abs=1.6)
        wanted = math.degrees(math.atan2(line[3] - line[1], line[2] - line[0]))
        assert match.angle == pytest.approx(wanted, abs=1)


@pytest.mark.parametrize("grain", [5, 15])
def test_grain_does_not_break_a_line(painted, grain):
    from toolhaft_vision.lines import find_lines

    picture = painted((320, 200), (255, 255, 255), strokes(*CROSS), grain=grain, seed=grain)
    assert find_lines(picture).counts.horizontal == 1
    assert find_lines(picture).counts.vertical == 1
    assert find_lines(picture).count == 2


def test_the_sides_of_an_area_are_boundaries(painted):
    from toolhaft_vision.lines import find_lines

    def box(drawing, finer):
        drawing.rectangle((40 * finer, 40 * finer, 240 * finer, 160 * finer), fill=(200, 30, 30))

    found = find_lines(painted((320, 200), (255, 255, 255), box))
    assert [each.kind for each in found.lines] == ["boundary"] * 4
    assert (found.counts.horizontal, found.counts.vertical, found.counts.diagonal) == (2, 2, 0)


def test_lines_are_chosen_by_length_and_way(painted):
    from toolhaft_vision.lines import find_lines

    picture = painted((320, 200), (255, 255, 255), strokes(*CROSS, (20, 20, 60, 50)))
    assert find_lines(picture, orientation="vertical").count == 1
    assert find_lines(picture, orientation="diagonal").count == 1
    assert find_lines(picture, minimum_length=200).count == 1
    assert find_lines(picture, minimum_length=200).minimum_length == 200


@pytest.mark.parametrize("size", [(1, 1), (5000, 10), (7, 9), (300, 200)], ids=str)
def test_one_colour_has_neither_lines_nor_edges(painted, size):
    from toolhaft_vision.edges import find_edges
    from toolhaft_vision.lines import find_lines

    picture = painted(size, (70, 120, 160), lambda drawing, finer: None, finer=1)
    assert find_lines(picture).count == 0
    assert find_edges(picture).edge_pixels == 0


def test_a_picture_of_what_was_found_is_made_when_asked_for(painted, decoded):
    from toolhaft_vision.lines import find_lines

    picture = painted((320, 200), (255, 255, 255), strokes(*CROSS))
    assert find_lines(picture).overlay is None
    drawn = decoded(find_lines(picture, overlay=True).overlay)
    assert drawn.shape == picture.rgb.shape
    assert [255, 0, 200] in drawn[98:104, 60].tolist()
    assert [255, 0, 200] not in drawn[40:60, 60].tolist()


@pytest.mark.parametrize(
    ("ground", "colour"),
    [
        ((255, 255, 255), (0, 0, 0)),
        ((0, 0, 0), (255, 255, 255)),
        ((200, 30, 30), (30, 140, 60)),
        ((250, 250, 250), (250, 250, 0)),
        ((90, 90, 90), (190, 190, 190)),
    ],
    ids=["black", "white", "hues", "yellow", "greys"],
)
def test_edges_run_along_the_outline(painted, decoded, ground, colour):
    from toolhaft_vision.edges import find_edges

    def box(drawing, finer):
        drawing.rectangle((40, 30, 159, 89), fill=colour)

    found = find_edges(painted((200, 120), ground, box, finer=1))
    edges = decoded(found.image)
    assert found.edge_pixels == (edges > 0).sum()
    assert 0.9 <= found.edge_pixels / (2 * 120 + 2 * 60) <= 1.1
    assert (edges[33:87, 43:157] == 0).all()
    assert edges[60, 38:42].any()


def test_more_detail_shows_fainter_edges(painted):
    from toolhaft_vision.edges import find_edges

    def boxes(drawing, finer):
        for number in range(6):
            drawing.rectangle((20 + 60 * number, 20, 50 + 60 * number, 90), fill=(240 - 24 * number,) * 3)

    picture = painted((400, 120), (255, 255, 255), boxes, finer=1)
    low, normal, high = (find_edges(picture, detail=each).edge_pixels for each in ("low", "normal", "high"))
    assert 0 < low < normal < high

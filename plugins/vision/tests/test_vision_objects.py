"""Faces, and objects cut out of their background."""

import pytest

pytestmark = pytest.mark.slow

FACE = (170, 62, 280, 190)
"""Fringe to chin of the portrait that scikit-image brings."""


@pytest.fixture
def portrait():
    """Return scikit-image's portrait, 512 x 512."""
    from skimage import data

    return data.astronaut()


def on_canvas(portraits, size):
    """Return a picture of portraits at their places, each scaled, and the boxes of the faces."""
    import numpy
    from PIL import Image

    from toolhaft_vision.picture import Picture

    image = Image.new("RGB", size, (120, 140, 160))
    boxes = []
    for pixels, left, top, scale in portraits:
        side = round(512 * scale)
        image.paste(Image.fromarray(pixels).resize((side, side), Image.Resampling.LANCZOS), (left, top))
        boxes.append(tuple(edge * scale + (left, top)[n % 2] for n, edge in enumerate(FACE)))
    return Picture(rgb=numpy.array(image)), boxes


@pytest.mark.parametrize(
    ("places", "size", "false"),
    [
        ([(0, 0, 1.0)], (512, 512), 0),
        ([(0, 0, 0.5)], (256, 256), 0),
        ([(300, 100, 1.0)], (1000, 700), 0),
        ([(0, 0, 0.8), (420, 60, 0.7)], (860, 480), 0),
        # At this size a patch of the suit is taken for a face: the limits say that such things happen.
        ([(0, 0, 3.0)], (1536, 1536), 1),
    ],
    ids=["portrait", "small", "on-a-canvas", "two", "large"],
)
def test_faces_are_found(portrait, overlap, places, size, false):
    from toolhaft_vision.faces import find_faces

    picture, boxes = on_canvas([(portrait, *place) for place in places], size)
    found = find_faces(picture)
    assert found.count == len(found.faces)
    assert len(boxes) <= found.count <= len(boxes) + false
    assert "now and then" in found.limits
    for box in boxes:
        assert max(overlap(face.box, box) for face in found.faces) >= 0.5


@pytest.mark.parametrize("change", ["mirrored", "darker", "grey", "grain"])
def test_a_face_is_found_in_another_light(portrait, overlap, change):
    import numpy

    from toolhaft_vision.faces import find_faces
    from toolhaft_vision.picture import Picture

    pixels, box = portrait, FACE
    if change == "mirrored":
        pixels, box = (
            numpy.ascontiguousarray(portrait[:, ::-1]),
            (512 - FACE[2], FACE[1], 512 - FACE[0], FACE[3]),
        )
    elif change == "darker":
        pixels = (portrait * 0.5).astype(numpy.uint8)
    elif change == "grey":
        pixels = numpy.stack([portrait.mean(axis=2).astype(numpy.uint8)] * 3, axis=-1)
    else:
        grain = numpy.random.default_rng(0).normal(0, 10, portrait.shape)
        pixels = numpy.clip(portrait + grain, 0, 255).astype(numpy.uint8)
    (face,) = find_faces(Picture(rgb=pixels)).faces
    assert overlap(face.box, box) >= 0.5


@pytest.mark.parametrize("name", ["coffee", "chelsea", "rocket", "brick"])
def test_pictures_without_people_have_no_faces(name):
    from skimage import data

    from toolhaft_vision.faces import find_faces
    from toolhaft_vision.picture import Picture

    pixels = getattr(data, name)()
    if pixels.ndim == 2:
        import numpy

        pixels = numpy.stack([pixels] * 3, axis=-1)
    assert find_faces(Picture(rgb=pixels)).count == 0


@pytest.mark.parametrize("size", [(1, 1), (5000, 10), (25, 25), (300, 200)], ids=str)
def test_one_colour_has_no_faces(painted, size):
    from toolhaft_vision.faces import find_faces

    assert find_faces(painted(size, (200, 150, 130), lambda drawing, finer: None, finer=1)).count == 0


def test_smaller_faces_are_left_out(portrait):
    from toolhaft_vision.faces import find_faces

    picture, _ = on_canvas([(portrait, 0, 0, 0.8), (portrait, 420, 60, 0.4)], (860, 480))
    assert find_faces(picture).count == 2
    assert find_faces(picture, minimum_size=60).count == 1


def ellipse(box, colour):
    def paint(drawing, finer):
        drawing.ellipse([each * finer for each in box], fill=colour)

    return paint


def inside(box, size):
    """Return the mask of an ellipse."""
    import numpy

    down, across = numpy.indices((size[1], size[0])) + 0.5
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    return ((across - x) / (box[2] - box[0]) * 2) ** 2 + ((down - y) / (box[3] - box[1]) * 2) ** 2 <= 1


def agreement(mask, truth):
    return (mask & truth).sum() / (mask | truth).sum()


@pytest.mark.parametrize(
    ("size", "ellipses", "ground", "options"),
    [
        ((400, 300), [((80, 60, 320, 240), (200, 40, 40))], (245, 245, 240), {}),
        ((400, 300), [((80, 60, 320, 240), (240, 230, 90))], (20, 20, 60), {"grain": 6}),
        ((1500, 1000), [((300, 200, 1200, 800), (20, 120, 60))], (255, 255, 255), {"finer": 1}),
        ((200, 400), [((60, 100, 140, 320), (10, 10, 10))], (128, 128, 128), {}),
        ((300, 300), [((-60, 100, 150, 200), (200, 40, 40))], (245, 245, 240), {}),
    ],
    ids=["light", "dark", "large", "grey", "at-the-border"],
)
def test_an_object_on_a_plain_ground_is_cut_out(painted, decoded, size, ellipses, ground, options):
    from toolhaft_vision.cutout import remove_background

    (box, colour), *_ = ellipses
    picture = painted(size, ground, ellipse(box, colour), **options)
    cut = remove_background(picture)
    truth = inside(box, size)
    assert agreement(decoded(cut.mask) > 127, truth) > 0.95
    pixels = decoded(cut.image)
    assert (pixels[..., 3] == decoded(cut.mask)).all()
    assert (pixels[..., :3] == picture.rgb).all()
    assert cut.object_share == pytest.approx(truth.mean(), rel=0.05)


@pytest.mark.parametrize(
    ("size", "object_box", "box"),
    [
        ((400, 300), (80, 60, 240, 200), [60, 40, 260, 220]),
        ((900, 600), (300, 200, 600, 450), [260, 160, 640, 500]),
        ((300, 300), (20, 20, 120, 120), [5, 5, 140, 140]),
        ((640, 480), (200, 100, 420, 380), [180, 80, 440, 400]),
        ((500, 200), (180, 40, 300, 160), [160, 20, 320, 180]),
    ],
    ids=["one", "large", "corner", "tall", "wide"],
)
def test_a_box_says_what_to_cut_out(painted, decoded, size, object_box, box):
    """The ground is striped, and another object of the same colour stands outside the box."""
    from toolhaft_vision.cutout import remove_background

    def paint(drawing, finer):
        for y in range(0, size[1], 20):
            shade = 150 + (y // 20) % 3 * 25
            drawing.rectangle((0, y * finer, size[0] * finer, (y + 19) * finer), fill=(60, shade, 120))
        drawing.ellipse([each * finer for each in object_box], fill=(220, 60, 40))
        corner = (size[0] - 40, size[1] - 40, size[0] - 10, size[1] - 10)
        drawing.ellipse([each * finer for each in corner], fill=(220, 60, 40))

    cut = remove_background(painted(size, (0, 0, 0), paint), box=box)
    assert agreement(decoded(cut.mask) > 127, inside(object_box, size)) > 0.93


def test_a_person_is_cut_out_by_the_face(portrait, decoded):
    from toolhaft_vision.cutout import remove_background
    from toolhaft_vision.picture import Picture

    cut = remove_background(Picture(rgb=portrait))
    mask = decoded(cut.mask) > 127
    assert "face" in cut.method
    assert mask[80:180, 185:265].mean() > 0.9
    assert mask[:60, :140].mean() < 0.1
    assert mask[:60, 380:].mean() < 0.1


def test_the_same_call_gives_the_same_mask(portrait):
    from toolhaft_vision.cutout import remove_background
    from toolhaft_vision.picture import Picture

    first, second = (remove_background(Picture(rgb=portrait), box=[100, 20, 400, 500]) for _ in range(2))
    assert first.mask.data == second.mask.data

"""Crop and resize: pixel for pixel, and to the size asked for."""

import pytest

pytestmark = pytest.mark.slow


def stripes(drawing, finer):
    for column in range(0, 60, 4):
        drawing.rectangle((column, 0, column + 1, 40), fill=(column * 4, 90, 200 - column))


@pytest.mark.parametrize(
    "box",
    [[0, 0, 60, 40], [0, 0, 1, 1], [59, 39, 60, 40], [10, 5, 31, 22], [0, 12, 60, 13]],
    ids=["whole", "first-pixel", "last-pixel", "middle", "row"],
)
def test_a_crop_is_the_pixels_of_the_box(painted, decoded, box):
    from toolhaft_vision.crop import crop_image

    picture = painted((60, 40), (250, 250, 0), stripes, finer=1, grain=30)
    cropped = crop_image(picture, box=box)
    left, top, right, bottom = box
    assert (decoded(cropped.image) == picture.rgb[top:bottom, left:right]).all()
    assert (cropped.width, cropped.height) == (right - left, bottom - top)
    assert cropped.box == tuple(box)


def test_a_crop_keeps_what_is_see_through(file_of, decoded):
    import numpy
    from PIL import Image

    from toolhaft_vision.crop import crop_image
    from toolhaft_vision.decoding import read_picture

    pixels = numpy.random.default_rng(0).integers(0, 255, (8, 9, 4)).astype(numpy.uint8)
    picture = read_picture(file_of(Image.fromarray(pixels)))
    assert (decoded(crop_image(picture, box=[1, 2, 7, 8]).image) == pixels[2:8, 1:7]).all()


@pytest.mark.parametrize(
    ("given", "size"),
    [
        ({"width": 30}, (30, 20)),
        ({"height": 80}, (120, 80)),
        ({"width": 7, "height": 33}, (7, 33)),
        ({"width": 100, "height": 100, "fit": "inside"}, (100, 67)),
        ({"width": 200, "height": 10, "fit": "inside"}, (15, 10)),
        ({"scale": 0.5}, (30, 20)),
        ({"scale": 2.5}, (150, 100)),
        ({"scale": 0.001}, (1, 1)),
        ({"width": 1}, (1, 1)),
        ({"width": 60, "height": 40}, (60, 40)),
    ],
    ids=["width", "height", "exact", "inside-wide", "inside-flat", "half", "larger", "tiny", "one", "same"],
)
def test_a_resized_image_has_the_size_asked_for(painted, decoded, given, size):
    from toolhaft_vision.resize import resize_image

    picture = painted((60, 40), (250, 250, 0), stripes, finer=1)
    resized = resize_image(picture, **given)
    assert (resized.width, resized.height) == size
    assert decoded(resized.image).shape == (size[1], size[0], 3)
    assert (resized.original_width, resized.original_height) == (60, 40)


def test_resizing_keeps_the_picture(painted, decoded):
    from toolhaft_vision.resize import resize_image

    def halves(drawing, finer):
        drawing.rectangle((0, 0, 29, 40), fill=(0, 0, 0))

    picture = painted((60, 40), (255, 255, 255), halves, finer=1)
    pixels = decoded(resize_image(picture, scale=3).image)
    assert pixels[:, :80].max() < 20
    assert pixels[:, 100:].min() > 235


def test_colours_of_what_is_see_through_do_not_bleed(file_of, decoded):
    import numpy
    from PIL import Image

    from toolhaft_vision.decoding import read_picture
    from toolhaft_vision.resize import resize_image

    pixels = numpy.zeros((20, 20, 4), numpy.uint8)
    pixels[:, 10:] = 255, 0, 0, 255
    pixels[:, :10] = 0, 255, 0, 0
    made = decoded(resize_image(read_picture(file_of(Image.fromarray(pixels))), width=8).image)
    seen = made[made[..., 3] > 0]
    assert seen[:, 1].max() == 0


def test_large_pictures_get_a_preview(painted):
    import io

    from PIL import Image

    from toolhaft_vision.encoding import preview
    from toolhaft_vision.resize import resize_image

    picture = painted((60, 40), (250, 250, 0), stripes, finer=1, grain=60)
    assert preview(resize_image(picture, width=1024).image) is None
    shown = preview(resize_image(picture, width=3000).image)
    assert len(shown) <= 200_000
    with Image.open(io.BytesIO(shown)) as image:
        assert image.size == (1024, 683)
        assert image.format == "JPEG"

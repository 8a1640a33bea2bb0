"""Files of every format and kind of pixel come out as upright 8-bit colours."""

import pytest

pytestmark = pytest.mark.slow


def numbers():
    import numpy

    down, across = numpy.indices((20, 30))
    return numpy.stack([across * 8, down * 12, 255 - across * 8], axis=-1).astype(numpy.uint8)


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "GIF", "WebP", "JPEG"])
def test_every_accepted_format_is_read(file_of, kind):
    import numpy
    from PIL import Image

    from toolhaft_vision.decoding import read_picture

    options = {"lossless": True} if kind == "WebP" else {"quality": 95} if kind == "JPEG" else {}
    picture = read_picture(file_of(Image.fromarray(numbers()), kind, **options))
    assert picture.format == kind
    assert (picture.width, picture.height) == (30, 20)
    most = {"GIF": 40, "JPEG": 40}.get(kind, 0)
    assert numpy.abs(picture.rgb.astype(int) - numbers()).max() <= most


@pytest.mark.parametrize(
    ("mode", "value", "shown"),
    [
        ("1", 1, (255, 255, 255)),
        ("L", 77, (77, 77, 77)),
        ("P", 3, (255, 0, 255)),
        ("RGBA", (200, 100, 0, 255), (200, 100, 0)),
        ("RGBA", (0, 0, 0, 0), (255, 255, 255)),
        ("RGBA", (0, 0, 0, 51), (204, 204, 204)),
        ("LA", (10, 255), (10, 10, 10)),
        ("I;16", 32_896, (128, 128, 128)),
        ("CMYK", (0, 255, 255, 0), (255, 0, 0)),
        ("F", 0.5, (128, 128, 128)),
    ],
    ids=["1", "L", "P", "opaque", "clear", "veil", "LA", "I16", "CMYK", "F"],
)
def test_every_kind_of_pixel_becomes_eight_bits(file_of, mode, value, shown):
    from PIL import Image

    from toolhaft_vision.decoding import read_picture

    image = Image.new(mode, (4, 3), value)
    if mode == "P":
        image.putpalette([0, 0, 0, 1, 1, 1, 2, 2, 2, 255, 0, 255])
    picture = read_picture(file_of(image, "TIFF" if mode in ("CMYK", "F") else "PNG"))
    assert picture.rgb.shape == (3, 4, 3)
    assert picture.rgb.dtype == "uint8"
    assert abs(picture.rgb.astype(int) - shown).max() <= 1
    assert (picture.rgba is not None) == (mode == "RGBA" and value[3] < 255)


def test_sixteen_bits_keep_their_range(file_of):
    import numpy
    from PIL import Image

    from toolhaft_vision.decoding import read_picture

    ramp = numpy.arange(0, 65_536, 256, dtype=numpy.uint16).reshape(1, -1)
    assert read_picture(file_of(Image.fromarray(ramp))).rgb[0, :, 0].tolist() == list(range(256))


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_a_turned_photograph_stands_upright(file_of, orientation):
    from PIL import Image

    from toolhaft_vision.decoding import read_picture

    stored = {1: (30, 20), 3: (30, 20), 6: (20, 30), 8: (20, 30)}[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = file_of(Image.new("RGB", stored, (9, 9, 9)), "JPEG", exif=exif)
    assert (read_picture(data).width, read_picture(data).height) == (30, 20)


def test_only_the_first_frame_of_an_animation_is_read(file_of):
    from PIL import Image

    from toolhaft_vision.decoding import read_picture

    frames = [Image.new("RGB", (5, 5), (255 * (n == 0), 0, 255 * (n != 0))) for n in range(6)]
    picture = read_picture(file_of(frames[0], "GIF", save_all=True, append_images=frames[1:]))
    assert picture.rgb[0, 0].tolist() == [255, 0, 0]


def test_a_name_and_a_declared_type_decide_nothing(file_of, tmp_path):
    from PIL import Image

    from toolhaft import open_catalog

    path = tmp_path / "shell;rm -rf.gif"
    path.write_bytes(file_of(Image.new("RGB", (40, 30)), "PNG"))
    assert open_catalog("vision:").call_sync("resize_image", image=path, scale=0.5)["width"] == 20


def test_metadata_are_left_behind(file_of):
    import io

    from PIL import Image, PngImagePlugin

    from toolhaft_vision.crop import crop_image
    from toolhaft_vision.decoding import read_picture

    exif = Image.Exif()
    exif[0x010E] = "at home, 52.1 N"
    information = PngImagePlugin.PngInfo()
    information.add_text("Comment", "secret place")
    for data in (
        file_of(Image.new("RGB", (9, 9)), "JPEG", exif=exif),
        file_of(Image.new("RGB", (9, 9)), "PNG", pnginfo=information),
    ):
        made = crop_image(read_picture(data), box=[0, 0, 9, 9]).image.data
        assert b"home" not in made
        assert b"secret" not in made
        with Image.open(io.BytesIO(made)) as image:
            image.load()
            assert not image.info
            assert not dict(image.getexif())

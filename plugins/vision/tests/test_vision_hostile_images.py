"""Every tool on images as they come: compressed, grainy, turned, see-through, tiny, long, tampered with."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from toolhaft import Artifact, open_catalog
from toolhaft.errors import ToolhaftError, UsageError

pytestmark = pytest.mark.slow

ARGUMENTS = {"crop_image": {"box": [0, 0, 1, 1]}, "resize_image": {"width": 50}}
IMAGES = [
    "compressed.jpg",
    "grainy.png",
    "ramp.png",
    "clear.png",
    "deep.png",
    "cmyk.jpg",
    "moving.gif",
    "moving.webp",
    "palette.png",
    "turned.jpg",
    "dot.png",
    "long.png",
    "black.png",
    "polyglot.png",
]


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A red disc and a blue rectangle in all kinds of files."""
    import numpy
    from PIL import Image, ImageDraw

    folder = tmp_path_factory.mktemp("hostile")
    plain = Image.new("RGB", (240, 160), "white")
    pen = ImageDraw.Draw(plain)
    pen.ellipse((20, 30, 90, 100), fill="red")
    pen.rectangle((130, 40, 210, 120), fill="blue")
    plain.save(folder / "compressed.jpg", quality=5)
    grain = numpy.random.default_rng(0).normal(0, 25, (160, 240, 3))
    Image.fromarray(numpy.clip(numpy.array(plain) + grain, 0, 255).astype("uint8")).save(
        folder / "grainy.png"
    )
    ramp = numpy.tile(numpy.linspace(0, 1, 240), (160, 1))
    Image.fromarray((ramp * 255).astype("uint8")).save(folder / "ramp.png")
    Image.fromarray((ramp * 65535).astype("uint16")).save(folder / "deep.png")
    clear = Image.new("RGBA", (240, 160), (0, 0, 0, 0))
    ImageDraw.Draw(clear).ellipse((50, 40, 130, 120), fill=(255, 0, 0, 255))
    clear.save(folder / "clear.png")
    plain.convert("CMYK").save(folder / "cmyk.jpg")
    for name in ("moving.gif", "moving.webp"):
        plain.save(folder / name, save_all=True, append_images=[plain.rotate(180)])
    plain.convert("P").save(folder / "palette.png")
    turned = Image.Exif()
    turned[274] = 6
    plain.save(folder / "turned.jpg", exif=turned)
    Image.new("RGB", (1, 1), "red").save(folder / "dot.png")
    Image.new("RGB", (20_000, 1), "red").save(folder / "long.png")
    Image.new("RGB", (64, 64)).save(folder / "black.png")
    plain.save(folder / "polyglot.png")
    with (folder / "polyglot.png").open("ab") as file:
        file.write(b"PK\x03\x04<script>alert(1)</script>")
    return folder


@pytest.fixture(scope="module")
def catalog():
    with open_catalog("vision:") as tools:
        yield tools


def with_handles(value):
    """Return a result as the model sees it: artifacts by their handles."""
    if isinstance(value, Artifact):
        return "img-2"
    if isinstance(value, dict):
        return {key: with_handles(item) for key, item in value.items()}
    return [with_handles(item) for item in value] if isinstance(value, list | tuple) else value


@pytest.mark.parametrize("image", IMAGES)
def test_results_of_all_tools_are_as_declared(image, files, catalog):
    import jsonschema

    done, refused = 0, {}
    for name in catalog.names:
        try:
            result = catalog.call_sync(name, image=files / image, **ARGUMENTS.get(name, {}))
        except ToolhaftError as error:
            refused[name] = str(error)
            continue
        jsonschema.validate(with_handles(result), catalog.spec(name).returns)
        assert result["limits"]
        done += 1
    assert done >= 9
    assert all(name == "remove_background" and "background" in said for name, said in refused.items())


@pytest.mark.parametrize("image", ["ramp.png", "deep.png"])
def test_a_shaded_ground_is_not_called_plain(image, files, catalog):
    assert not catalog.call_sync("find_shapes", image=files / image)["plain_background"]


def test_coins_on_a_shaded_ground_are_not_called_a_drawing(shared, catalog):
    assert not catalog.call_sync("find_shapes", image=shared / "images/coins.png")["plain_background"]


@pytest.mark.parametrize("image", ["grainy.png", "cmyk.jpg", "moving.gif", "palette.png", "turned.jpg"])
def test_two_shapes_stay_two_in_any_file(image, files, catalog):
    found = catalog.call_sync("find_shapes", image=files / image)
    assert found["plain_background"]
    assert found["by_color"] == {"red": 1, "blue": 1}


def make_code(text, size):
    import cv2

    code = cv2.resize(cv2.QRCodeEncoder.create().encode(text), (size, size), interpolation=cv2.INTER_NEAREST)
    return cv2.copyMakeBorder(code, 30, 30, 30, 30, cv2.BORDER_CONSTANT, value=255)


def test_two_codes_in_one_image_are_both_read(tmp_path, catalog):
    import cv2
    import numpy

    cv2.imwrite(str(tmp_path / "two.png"), numpy.hstack([make_code("FIRST", 220), make_code("SECOND", 220)]))
    found = catalog.call_sync("read_qr_code", image=tmp_path / "two.png")
    assert sorted(code["text"] for code in found["codes"]) == ["FIRST", "SECOND"]


@pytest.mark.parametrize("angle", [10, 30, 45])
def test_a_code_that_is_turned_is_read(angle, tmp_path, catalog):
    from PIL import Image

    code = Image.fromarray(make_code("TURNED", 300))
    code.rotate(angle, expand=True, fillcolor=255, resample=Image.Resampling.BICUBIC).save(
        tmp_path / "turned.png"
    )
    found = catalog.call_sync("read_qr_code", image=tmp_path / "turned.png")
    assert [code["text"] for code in found["codes"]] == ["TURNED"]


def test_circles_have_no_face(tmp_path, catalog):
    from PIL import Image, ImageDraw

    image = Image.new("RGB", (400, 300), "white")
    pen = ImageDraw.Draw(image)
    for place in range(6):
        pen.ellipse((20 + 60 * place, 40, 70 + 60 * place, 90), fill="peachpuff", outline="black", width=3)
    pen.ellipse((120, 110, 280, 270), fill="gold", outline="black", width=4)
    image.save(tmp_path / "circles.png")
    assert catalog.call_sync("find_faces", image=tmp_path / "circles.png")["count"] == 0


def test_twenty_calls_at_once_give_the_same(files, catalog):
    with ThreadPoolExecutor(20) as pool:
        calls = [
            pool.submit(catalog.call_sync, "find_shapes", image=files / "palette.png") for _ in range(20)
        ]
    assert {call.result()["count"] for call in calls} == {2}


def test_a_closed_catalog_holds_no_images(files):
    tools = open_catalog("vision:")
    made = tools.call_sync("crop_image", image=files / "palette.png", box=[0, 0, 9, 9])["image"]
    assert tools.artifacts.get(made).startswith(b"\x89PNG")
    tools.close_sync()
    assert made not in tools.artifacts
    with pytest.raises(UsageError, match="once it is closed"):
        tools.artifacts.get(made)

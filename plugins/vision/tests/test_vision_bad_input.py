"""Files and arguments that are wrong or made to do harm: each one clear error, before it costs anything."""

import struct
import sys
import zlib

import pytest

from toolhaft import open_catalog
from toolhaft.errors import InvalidArgumentsError, ToolError, ToolhaftError, UnknownNameError

pytestmark = pytest.mark.slow


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width, height, rows=b"", depth=8):
    """Return a PNG file of grey pixels whose header may lie."""
    header = struct.pack(">IIBBBBB", width, height, depth, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


def good():
    return png(40, 30, b"".join(b"\0" + bytes(range(40)) for _ in range(30)))


def webp(width, height):
    body = b"\0\0\0\0" + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    rest = b"WEBPVP8X" + struct.pack("<I", 10) + body
    return b"RIFF" + struct.pack("<I", len(rest)) + rest


def gif(width, height):
    size = struct.pack("<HH", width, height)
    return b"GIF89a" + size + b"\0\0\0," + bytes(4) + size + b"\0\x08\0"


def bmp(width, height):
    return b"BM" + struct.pack("<IHHIIiiHHIIiiII", 54, 0, 0, 54, 40, width, height, 1, 24, 0, 0, 0, 0, 0, 0)


def tiff(width, height):
    entries = [(256, 4, 1, width), (257, 4, 1, height), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1)]
    entries += [(273, 4, 1, 8), (277, 3, 1, 1), (278, 4, 1, height), (279, 4, 1, 10)]
    table = b"".join(struct.pack("<HHII", *each) for each in entries)
    return b"II*\0" + struct.pack("<IH", 8, len(entries)) + table + struct.pack("<I", 0)


@pytest.mark.parametrize(
    ("data", "code", "said"),
    [
        (b"", "E-IMAGE-FORMAT", "the file is empty"),
        (b"hello, this is text", "E-IMAGE-FORMAT", "not an image"),
        (b"%PDF-1.7 ...", "E-IMAGE-FORMAT", "PDF"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "E-IMAGE-FORMAT", "SVG"),
        (b"\xef\xbb\xbf <?xml version='1.0'?><svg/>", "E-IMAGE-FORMAT", "SVG"),
        (b"%!PS-Adobe-3.0 EPSF-3.0", "E-IMAGE-FORMAT", "PostScript"),
        (b"PK\x03\x04 and so on", "E-IMAGE-FORMAT", "archive"),
        (b"\0\0\1\0\1\0\x10\x10", "E-IMAGE-FORMAT", "icon"),
        (b"RIFF\x10\0\0\0AVI LIST", "E-IMAGE-FORMAT", "not an image"),
        (b"\x89PNG\r\n\x1a\n", "E-IMAGE-DAMAGED", "PNG file is damaged"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), "E-IMAGE-DAMAGED", "PNG file is damaged"),
        (good()[:60], "E-IMAGE-DAMAGED", "broken off"),
        (good().replace(b"IDAT", b"IDXT"), "E-IMAGE-DAMAGED", "PNG file is damaged"),
        (b"\xff\xd8\xff\xe0" + bytes(50), "E-IMAGE-DAMAGED", "JPEG file is damaged"),
        (b"GIF89a\x05\0\x05\0", "E-IMAGE-DAMAGED", "GIF file is damaged"),
        (b"BM" + bytes(30), "E-IMAGE-DAMAGED", "BMP file is damaged"),
        (b"II*\0\xff\xff\xff\xff", "E-IMAGE-DAMAGED", "TIFF file is damaged"),
        (webp(100, 100), "E-IMAGE-DAMAGED", "WebP file is damaged"),
        (png(100_000, 100_000), "E-IMAGE-SIZE", "100000 x 100000"),
        (png(20_001, 1), "E-IMAGE-SIZE", "20001 x 1"),
        (png(9_000, 9_000), "E-IMAGE-SIZE", "9000 x 9000"),
        (png(0, 10), "E-IMAGE", ""),
        (webp(16_000, 16_000), "E-IMAGE-SIZE", "16000 x 16000"),
        (
            b"GIF89a\xff\xff\xff\xff\0\0\0," + bytes(4) + b"\xff\xff\xff\xff\0\x08\0",
            "E-IMAGE-SIZE",
            "65535 x 65535",
        ),
        (bmp(1_000_000, 1_000_000), "E-IMAGE-SIZE", "1000000 x 1000000"),
        (tiff(4_000_000_000, 3), "E-IMAGE-SIZE", "4000000000 x 3"),
    ],
    ids=lambda value: value if isinstance(value, str) and value.startswith("E-") else "",
)
def test_a_bad_file_is_refused(data, code, said):
    from toolhaft_vision.decoding import read_picture

    with pytest.raises(ToolError) as error:
        read_picture(data, "img-7")
    assert error.value.code.startswith(code)
    assert said in error.value.what
    assert len(str(error.value)) < 400


def test_a_huge_file_is_refused_unread():
    from toolhaft_vision.decoding import read_picture

    with pytest.raises(ToolError, match="50,000,001 bytes"):
        read_picture(bytes(50_000_001))


def test_a_bomb_costs_nothing():
    """A few bytes that claim 400 million pixels are refused before room is made for them."""
    import resource

    from toolhaft_vision.decoding import read_picture

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for data in (png(20_000, 20_000, bytes(20_000)), webp(16_384, 16_384)):
        with pytest.raises(ToolError, match="pixels"):
            read_picture(data)
    unit = 1 if sys.platform == "darwin" else 1024
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * unit < 50_000_000


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WebP", "BMP", "TIFF"])
def test_changed_bytes_never_end_in_a_traceback(kind):
    """Each of 1,500 damaged files is read, or refused by an error of its own."""
    import io
    import random

    from PIL import Image

    from toolhaft_vision.decoding import read_picture

    chance = random.Random(kind)
    exif = Image.Exif()
    exif[0x0112] = 6
    buffer = io.BytesIO()
    options = {"exif": exif} if kind in ("JPEG", "WebP") else {}
    Image.effect_noise((31, 24), 90).convert("P" if kind == "GIF" else "RGB").save(buffer, kind, **options)
    refused = 0
    for _ in range(1_500):
        data = bytearray(buffer.getvalue())
        for _ in range(chance.randint(1, 5)):
            place = chance.randrange(len(data))
            size = chance.choice((0, 1, 4))
            data[place : place + size] = chance.choice((b"\xff\xff\xff\xff", b"\0\0", chance.randbytes(3)))
        try:
            read_picture(bytes(data))
        except ToolError as error:
            refused += error.code.startswith("E-IMAGE")
    assert refused > 30


@pytest.fixture
def path(tmp_path):
    """Return a picture of 40 x 30 pixels."""
    made = tmp_path / "$(reboot) --help.png"
    made.write_bytes(good())
    return made


@pytest.mark.parametrize(
    ("tool", "arguments", "said"),
    [
        ("crop_image", {}, "box"),
        ("crop_image", {"box": "0,0,10,10"}, "array"),
        ("crop_image", {"box": [0, 0, 10]}, "less than 4|has less"),
        ("crop_image", {"box": [0, 0, 10.5, 10]}, "integer"),
        ("crop_image", {"box": [-1, 0, 10, 10]}, "minimum"),
        ("crop_image", {"box": [0, 0, 41, 30]}, "reaches beyond.*40 x 30"),
        ("crop_image", {"box": [10, 10, 10, 20]}, "is empty"),
        ("crop_image", {"box": [20, 10, 10, 20]}, "is empty"),
        ("resize_image", {}, "no size"),
        ("resize_image", {"width": 1_000_000_000}, "maximum"),
        ("resize_image", {"width": 20_000, "height": 20_000}, "20000 x 20000"),
        ("resize_image", {"scale": 1e9}, "maximum"),
        ("resize_image", {"scale": 0}, "minimum|greater"),
        ("resize_image", {"scale": 100, "width": 5}, "both"),
        ("resize_image", {"width": 5, "fit": "cover"}, "cover"),
        ("find_edges", {"detail": "most"}, "most"),
        ("find_lines", {"minimum_length": 0}, "minimum"),
        ("find_lines", {"orientation": "up; rm -rf /"}, "up; rm"),
        ("find_shapes", {"color": "reddish"}, "reddish"),
        ("find_shapes", {"colour": "red"}, "colour"),
        ("count_circles", {"minimum_radius": 50, "maximum_radius": 10}, "above the maximum"),
        ("count_circles", {"minimum_radius": "ten"}, "integer"),
        ("read_text", {"language": "../../etc/passwd"}, "passwd"),
        ("read_text", {"language": "--tessdata-dir"}, "tessdata"),
        ("read_text", {"language": "eng; id"}, "eng; id"),
        ("read_text", {"layout": "13"}, "13"),
        ("remove_background", {"box": [0, 0, 400, 300]}, "reaches beyond"),
        ("remove_background", {"box": [0, 0, 40, 30]}, "no background around"),
        ("find_faces", {"minimum_size": -3}, "minimum"),
    ],
)
def test_bad_arguments_are_told(path, tool, arguments, said):
    with pytest.raises(ToolError, match=f"(?s){said}") as error:
        open_catalog("vision:").call_sync(tool, image=path, **arguments)
    assert len(str(error.value)) < 1500


@pytest.mark.parametrize(
    "image",
    ["/etc/passwd", "../../secret.png", "https://example.com/a.png", "img-9", "data:image/png;base64,AAAA"],
)
def test_text_is_never_taken_for_a_file(image):
    """Only `pathlib.Path` objects of the program, and handles of the run, are images."""
    with pytest.raises(ToolhaftError):
        open_catalog("vision:").call_sync("find_faces", image=image)


def test_a_language_that_is_not_installed_is_told(path):
    import shutil

    if shutil.which("tesseract") is None:
        pytest.skip("tesseract is not installed")
    with pytest.raises(InvalidArgumentsError, match="no data for the language 'qqq'"):
        open_catalog("vision:").call_sync("read_text", image=path, language="qqq")


def test_without_tesseract_only_the_call_fails(path, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    catalog = open_catalog("vision:")
    assert catalog.spec("read_text").description
    assert catalog.call_sync("find_edges", image=path)["width"] == 40
    with pytest.raises(ToolError, match=r"not installed.*apt-get install tesseract-ocr.*brew") as error:
        catalog.call_sync("read_text", image=path)
    assert error.value.code == "E-TESSERACT-MISSING"


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("exit 3", "failed with status 3: it says nothing"),
        ("echo broken pipe of dreams >&2; exit 1", "failed with status 1: broken pipe of dreams"),
    ],
    ids=["silent", "message"],
)
def test_a_program_that_fails_is_told(path, monkeypatch, tmp_path, script, said):
    program = tmp_path / "tesseract"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    with pytest.raises(ToolError, match=said):
        open_catalog("vision:").call_sync("read_text", image=path)


def test_a_program_that_cannot_be_run_is_told(path, monkeypatch, tmp_path):
    program = tmp_path / "tesseract"
    program.write_bytes(b"\x7fELF nothing that runs")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolError, match="does not run"):
        open_catalog("vision:").call_sync("read_text", image=path)


@pytest.mark.parametrize("location", ["vision:crop", "vision:os:system", "vision:../crop_image"])
def test_unknown_tools_are_named(location):
    with pytest.raises(UnknownNameError, match="unknown image tool"):
        open_catalog(location)

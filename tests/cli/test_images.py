"""Images on the command line: taken with ``--image`` and ``@FILE``, kept beside the report."""

from __future__ import annotations

import json
import struct
import subprocess
import sys
import zlib

import pytest

TOOLS = '''
from __future__ import annotations

from typing import Annotated

from toolhaft import Artifact, CallContext, tool

Image = Annotated[Artifact, "image/*"]


@tool(effect="read")
def crop_image(image: Image, box: list[int], context: CallContext) -> dict:
    """Cut a rectangle out of an image.

    Args:
        image: The image.
        box: Left, top, right, bottom in pixels.
    """
    data = context.artifacts.get(image) + bytes(box)
    return {"image": context.artifacts.put(data, name="../cut out.png"), "length": len(data)}


@tool(effect="read")
def copy_image(image: Image, context: CallContext) -> Artifact:
    """Copy an image."""
    return context.artifacts.put(context.artifacts.get(image) + b"x", name="copy")


@tool(effect="read")
def measure_images(images: list[Image]) -> list[int]:
    """Measure images."""
    return [image.width for image in images]


@tool(effect="read")
def weigh(file: Artifact) -> int:
    """Weigh a file."""
    return file.size
'''
PICTURE = "run", "Crop the image to [0, 0, 4, 4] and copy the cropped part.", "--tools", "python:tools.py"


def make_png(width=8, height=6):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = zlib.compress((b"\0" + bytes(width)) * height)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "tools.py").write_text(TOOLS)
    (tmp_path / "a.png").write_bytes(make_png())
    (tmp_path / "text.png").write_text("no image")
    (tmp_path / "empty.png").write_bytes(b"")
    (tmp_path / "b.txt").write_text("hello")
    (tmp_path / "folder.png").mkdir()
    return tmp_path


def test_run_keeps_the_images_that_were_made_by_handle_and_name(toolhaft, folder):
    code, out, err = toolhaft(*PICTURE, "--image", "a.png", "--model", "heuristic", "-o", "out", "--json")
    assert code == 0, err
    said = json.loads(out)
    assert said["images"] == {"img-2": "out/images/img-2-cut-out.png", "img-3": "out/images/img-3-copy.png"}
    assert (folder / "out/images/img-2-cut-out.png").read_bytes() == make_png() + bytes([0, 0, 4, 4])
    assert (folder / "out/images/img-3-copy.png").read_bytes().endswith(bytes([0, 0, 4, 4]) + b"x")
    assert "img-3" in said["answer"]
    report = (folder / "out/report.html").read_text()
    assert report.count("<img") >= 3
    assert "given by the user" in report
    assert 'made by <code class="tool">copy_image</code> from <code>img-2</code>' in report


def test_run_shows_handles_as_it_goes(toolhaft, folder):
    code, _, err = toolhaft(*PICTURE, "--image", "a.png", "--model", "heuristic", "-o", "out")
    assert code == 0
    assert 'image="img-1"' in err
    assert "img-3: out/images/img-3-copy.png" in err


CALLS = [
    (("crop_image", "image=@a.png", "box=[0,0,2,2]"), '"image": "img-2"', "is not kept"),
    (("crop_image", "image=@a.png", "box=[0,0,2,2]", "-o", "cut.png"), '"length": ', "written to cut.png"),
    (("crop_image", "image=@a.png", "box=[0,0,2,2]", "-o", "."), '"length": ', "img-2-cut-out.png"),
    (("copy_image", "image=@a.png", "-o", "copy.png"), "", "written to copy.png"),
    (("measure_images", "images=@a.png"), "8", ""),
    (("measure_images", 'images=["@a.png", "@a.png"]'), "8", ""),
    (("weigh", "file=@b.txt"), "5", ""),
]


@pytest.mark.parametrize(("words", "said", "told"), CALLS, ids=range(len(CALLS)))
def test_call_takes_files(words, said, told, toolhaft, folder):
    code, out, err = toolhaft("call", "python:tools.py", *words)
    assert (code, said in out, told in err) == (0, True, True), f"{out}\n{err}"


BAD = [
    ((*PICTURE, "--image", "none.png"), "none.png: cannot read the image: No such file"),
    ((*PICTURE, "--image", "folder.png"), "folder.png: it is a folder"),
    ((*PICTURE, "--image", "empty.png"), "empty.png: the file is empty"),
    ((*PICTURE, "--image", "text.png"), "text.png: the file is no image"),
    ((*PICTURE, "--image", "a.png", "--image", "b.txt"), "b.txt: the file is no image"),
    ((*PICTURE, "--image", "/proc/self/mem"), "/proc/self/mem: cannot read the image"),
    (("call", "python:tools.py", "copy_image", "image=a.png"), "Write image=@FILE"),
    (("call", "python:tools.py", "copy_image", "image=img-1"), "Write image=@FILE"),
    (("call", "python:tools.py", "copy_image", "image=@none.png"), "none.png: cannot read the image"),
    (("call", "python:tools.py", "copy_image", "image=@text.png"), "text.png: the file is no image"),
    (("call", "python:tools.py", "copy_image", "image=@"), "it is a folder"),
    (("call", "python:tools.py", "copy_image", "image=@a.png", "-o", "none/x.png"), "cannot write"),
    (("call", "python:tools.py", "measure_images", "images=[1]"), "Write images=@FILE"),
    (("call", "python:tools.py", "weigh", "file=@none.txt"), "none.txt: cannot read the file"),
]


@pytest.mark.parametrize(("words", "said"), BAD, ids=range(len(BAD)))
def test_bad_images_give_one_clear_error(words, said, toolhaft, folder):
    code, _, err = toolhaft(*words)
    assert code == 2, err
    assert said in err
    assert "Traceback" not in err
    assert err.count("Error:") == 1


@pytest.mark.slow
def test_a_file_that_is_the_whole_result_goes_to_standard_output_of_a_pipe(folder):
    words = ("call", "python:tools.py", "copy_image", "image=@a.png")
    done = subprocess.run(
        [sys.executable, "-c", "from toolhaft.cli.main import main; main()", *words],
        cwd=folder,
        capture_output=True,
        timeout=60,
    )
    assert done.stdout == (folder / "a.png").read_bytes() + b"x"
    assert b"written to standard output" in done.stderr

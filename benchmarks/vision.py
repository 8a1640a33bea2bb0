"""What the image tools take, beside the bare library calls that they are built on.

    python benchmarks/vision.py [--rounds 7] [--threads 1]

A picture of 640 x 480 pixels is drawn; each row is the median of several rounds in milliseconds. ``tool`` is
a whole call through the catalog: check, hash, decode, work, result and, where one is made, a PNG file.
``function`` is the work on the decoded picture. ``bare`` is the same job as one would write it down with
OpenCV, Pillow or the program alone, on the decoded picture and without typed results. Rows rotate.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import shutil
import statistics
import subprocess
import time
from collections.abc import Callable
from importlib import import_module
from typing import Any

from toolhaft import open_catalog
from toolhaft.tools.artifacts import ArtifactStore
from toolhaft.tools.base import CallContext

ARGUMENTS: dict[str, dict[str, Any]] = {
    "crop_image": {"box": [40, 40, 360, 280]},
    "resize_image": {"scale": 0.5},
    "remove_background": {"box": [40, 60, 260, 280]},
}


def drawn() -> bytes:
    """Return a PNG file with shapes, lines, a line of text, a QR code and a little grain."""
    import cv2
    import numpy
    from PIL import Image, ImageDraw, ImageFont

    image = Image.new("RGB", (640, 480), (245, 245, 240))
    drawing = ImageDraw.Draw(image)
    drawing.ellipse((60, 80, 240, 260), fill=(200, 40, 40))
    drawing.rectangle((300, 60, 420, 160), fill=(30, 80, 180))
    drawing.regular_polygon((360, 260, 60), 6, fill=(120, 60, 160))
    drawing.line((20, 440, 620, 300), fill=(20, 20, 20), width=3)
    drawing.line((20, 20, 620, 20), fill=(20, 20, 20), width=3)
    drawing.text((40, 330), "Invoice 48213", font=ImageFont.load_default(36), fill=(0, 0, 0))
    code = numpy.kron(cv2.QRCodeEncoder.create().encode("toolhaft"), numpy.ones((5, 5), numpy.uint8))
    image.paste(Image.fromarray(code), (490, 60))
    grain = numpy.random.default_rng(0).normal(0, 2, (480, 640, 3))
    pixels = numpy.clip(numpy.asarray(image) + grain, 0, 255).astype(numpy.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def peers(rgb: Any) -> dict[str, Callable[[], Any]]:
    """Return the bare calls, by tool."""
    import cv2
    import numpy
    from PIL import Image
    from skimage.data import lbp_frontal_face_cascade_filename
    from skimage.feature import Cascade

    grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)

    def shapes() -> Any:
        mask = (numpy.abs(rgb.astype(int) - rgb[0, 0]).sum(axis=2) > 60).astype(numpy.uint8)
        contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
        return [cv2.approxPolyDP(each, 0.03 * cv2.arcLength(each, True), True) for each in contours]

    def lines() -> Any:
        return cv2.createLineSegmentDetector(cv2.LSD_REFINE_STD).detect(grey)

    def circles() -> Any:
        blurred = cv2.medianBlur(grey, 5)
        return cv2.HoughCircles(blurred, cv2.HOUGH_GRADIENT, 1, 20, param1=100, param2=40, maxRadius=240)

    def text() -> Any:
        done, page = cv2.imencode(".png", grey)
        words = ["tesseract", "stdin", "stdout", "--psm", "6", "tsv"]
        return subprocess.run(words, input=page.tobytes(), capture_output=True, check=True) if done else None

    def faces() -> Any:
        cascade = Cascade(lbp_frontal_face_cascade_filename())
        return cascade.detect_multi_scale(
            img=rgb, scale_factor=1.2, step_ratio=1, min_size=(29, 29), max_size=(480, 480)
        )

    def cutout() -> Any:
        marks = numpy.zeros(grey.shape, numpy.uint8)
        models = numpy.zeros((1, 65)), numpy.zeros((1, 65))
        return cv2.grabCut(rgb, marks, (40, 60, 220, 220), *models, 3, cv2.GC_INIT_WITH_RECT)

    return {
        "crop_image": lambda: cv2.imencode(".png", rgb[40:280, 40:360]),
        "resize_image": lambda: Image.fromarray(rgb).resize((320, 240), Image.Resampling.LANCZOS),
        "find_edges": lambda: cv2.Canny(grey, 100, 200),
        "find_lines": lines,
        "find_shapes": shapes,
        "count_circles": circles,
        "read_text": text,
        "read_qr_code": lambda: cv2.QRCodeDetector().detectAndDecodeMulti(grey),
        "find_faces": faces,
        "remove_background": cutout,
    }


def timed(call: Callable[[], Any]) -> float:
    """Return what a call takes, in milliseconds."""
    started = time.perf_counter()
    call()
    return (time.perf_counter() - started) * 1000


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--threads", type=int, default=1, help="of OpenCV, for all rows")
    options = parser.parse_args()
    import cv2

    from toolhaft_vision.decoding import read_picture
    from toolhaft_vision.source import TOOLS

    cv2.setNumThreads(options.threads)
    data = drawn()
    if shutil.which("tesseract") is None:
        print("read_text is left out: tesseract is not installed")
    catalog, store = open_catalog("vision:"), ArtifactStore()
    context = CallContext(artifacts=store)
    image = store.put(data, name="drawn.png")
    bare = peers(read_picture(data).rgb)
    rows: dict[str, dict[str, list[float]]] = {
        name: {"tool": [], "function": [], "bare": []} for name in TOOLS
    }
    for number in range(options.rounds + 1):
        for name, times in rows.items():
            given = ARGUMENTS.get(name, {})
            function = getattr(import_module(f"toolhaft_vision.{TOOLS[name]}"), name)
            picture = read_picture(data)

            def tool(name: str = name, given: dict[str, Any] = given) -> None:
                asyncio.run(catalog[name].call({"image": image, **given}, context))

            measured = {
                "tool": timed(tool),
                "function": timed(lambda f=function, p=picture, g=given: f(p, **g)),
                "bare": timed(bare[name]),
            }
            if number:  # the first round imports and warms up
                for kind, value in measured.items():
                    times[kind].append(value)
    print(f"OpenCV {cv2.__version__}, {options.threads} thread(s), 640 x 480, median of {options.rounds}, ms")
    print(f"{'':18}{'tool':>9}{'function':>10}{'bare':>9}{'tool/bare':>11}")
    for name, times in rows.items():
        whole, own, peer = (statistics.median(times[kind]) for kind in ("tool", "function", "bare"))
        print(f"{name:18}{whole:9.1f}{own:10.1f}{peer:9.1f}{whole / peer:11.1f}")


if __name__ == "__main__":
    main()

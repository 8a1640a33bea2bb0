"""What the tests of this plugin share; they also run alone, away from the repository."""

import io
import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def anyio_backend():
    """Run async tests on asyncio."""
    return "asyncio"


@pytest.fixture(scope="session")
def shared():
    """The folder of real data, where there is one."""
    root = Path(__file__).resolve().parents[3]
    folder = Path(os.environ.get("TOOLHAFT_SHARED", root / "../shared")).resolve() / "data"
    if not folder.is_dir():
        pytest.skip(f"no real data at {folder}: set TOOLHAFT_SHARED")
    return folder


@pytest.fixture
def painted():
    """Return a picture that is painted by a function, smooth or jagged, with grain if asked for.

    The function gets a drawing in which every length is multiplied by ``finer``.
    """
    import numpy
    from PIL import Image, ImageDraw

    from toolhaft_vision.picture import Picture

    def make(size, ground, paint, *, finer=4, grain=0.0, seed=0):
        image = Image.new("RGB", (size[0] * finer, size[1] * finer), ground)
        paint(ImageDraw.Draw(image), finer)
        pixels = numpy.array(image.resize(size, Image.Resampling.LANCZOS)).astype(float)
        pixels += numpy.random.default_rng(seed).normal(0, grain, pixels.shape) if grain else 0
        return Picture(rgb=numpy.clip(numpy.round(pixels), 0, 255).astype(numpy.uint8))

    return make


@pytest.fixture
def file_of():
    """Return the bytes of a file of a picture or a Pillow image."""
    from PIL import Image

    def make(picture, kind="PNG", **options):
        image = picture if isinstance(picture, Image.Image) else Image.fromarray(picture.rgb)
        buffer = io.BytesIO()
        image.save(buffer, kind, **options)
        return buffer.getvalue()

    return make


@pytest.fixture
def decoded():
    """Return the pixels of a picture that a tool made."""
    import numpy
    from PIL import Image

    def make(new):
        with Image.open(io.BytesIO(new.data)) as image:
            return numpy.array(image)

    return make


@pytest.fixture
def overlap():
    """Return intersection over union of two boxes."""
    from toolhaft_vision.faces import overlap

    return overlap

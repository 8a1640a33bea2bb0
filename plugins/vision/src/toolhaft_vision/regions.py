"""What stands out from a plain ground, in pieces of one colour each."""

from __future__ import annotations

from dataclasses import dataclass

from toolhaft_vision.colours import distance, lab
from toolhaft_vision.picture import Pixels


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What surrounds the objects.

    Attributes:
        colour: As `toolhaft_vision.colours.lab` gives it.
        share: Of the border's pixels that have about this colour; near 1 where the ground is plain.
        tolerance: Distance in colour that still is ground, by how much the border's pixels scatter.
    """

    colour: Pixels
    share: float
    tolerance: float

    @property
    def plain(self) -> bool:
        """Whether most of the border has one even colour: shading and texture scatter by more."""
        return self.share >= _MOSTLY and self.tolerance < _UNEVEN


_MOSTLY = 0.6
_UNEVEN = 20.0
_NEAR = 12.0
_STEEP = 9.0
_SAME = 8.0


def find_ground(pixels: Pixels) -> Ground:
    """Take the commonest colour along the border for the ground.

    Args:
        pixels: Height x width x 3, as `toolhaft_vision.colours.lab` gives them.
    """
    import numpy

    edge = max(1, min(pixels.shape[:2]) // 100)
    border = numpy.concatenate(
        [part.reshape(-1, 3) for part in (pixels[:edge], pixels[-edge:], pixels[:, :edge], pixels[:, -edge:])]
    )
    cells, counts = numpy.unique(numpy.round(border / _NEAR), axis=0, return_counts=True)
    colour = cells[counts.argmax()] * _NEAR
    for _ in range(3):
        colour = numpy.median(border[distance(border, colour) < 1.5 * _NEAR], axis=0)
    away = distance(border, colour)
    near = away < 1.5 * _NEAR
    scatter = float(numpy.percentile(away[near], 98)) if near.any() else 0.0
    return Ground(colour=colour, share=float(near.mean()), tolerance=min(30.0, max(10.0, 1.4 * scatter)))


def calm(rgb: Pixels) -> Pixels:
    """Return the pixels without grain: a median filter, as strong as the grain asks for."""
    import cv2
    import numpy

    grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).astype(numpy.int16)
    if min(grey.shape) < 8:
        return rgb
    # The second difference of neighbours, halved by the median: edges are too few to move it.
    grain = float(numpy.median(numpy.abs(grey[:, 2:] - 2 * grey[:, 1:-1] + grey[:, :-2])))
    if grain < 4:
        return rgb
    smooth = cv2.medianBlur(rgb, 5)
    return smooth if grain < 12 else cv2.medianBlur(smooth, 5)


def split(rgb: Pixels, smallest: int) -> tuple[Pixels, Ground]:
    """Divide what stands out from the ground into pieces.

    Two objects that touch are two pieces where the colour changes steeply between them; a shaded object is
    one, for its colour changes slowly.

    Args:
        rgb: Height x width x 3, 8 bits, without grain.
        smallest: Pixels of a piece.

    Returns:
        Height x width of labels, 0 being the ground; and the ground.
    """
    import cv2
    import numpy

    pixels = lab(rgb)
    ground = find_ground(pixels)
    standing = (distance(pixels, ground.colour) > ground.tolerance).astype(numpy.uint8)
    flat = (_steepness(pixels) < _STEEP).astype(numpy.uint8) & standing
    _, wholes, sizes, _ = cv2.connectedComponentsWithStats(standing, connectivity=4)
    _, cores, core_sizes, _ = cv2.connectedComponentsWithStats(flat, connectivity=4)
    size, core_size = sizes[:, cv2.CC_STAT_AREA], core_sizes[:, cv2.CC_STAT_AREA]
    owner: Pixels = numpy.zeros(len(core_size), numpy.int64)
    owner[cores[flat > 0]] = wholes[flat > 0]
    large = core_size >= numpy.maximum(0.4 * smallest, 0.04 * size[owner])
    # Thin lines and textures have no cores worth the name: they stay whole.
    large &= (numpy.bincount(owner, core_size * large, len(size)) > 0.4 * size)[owner]
    coreless = size >= smallest
    coreless[owner[large]] = False
    large[0] = coreless[0] = False
    labels = _numbered(large, 0)[cores] + _numbered(coreless, int(large.sum()))[wholes]
    return _joined(_grown(labels, standing), pixels), ground


def places(labels: Pixels) -> dict[int, tuple[Pixels, Pixels]]:
    """Return the rows and columns of the pixels of each label but 0.

    Args:
        labels: Height x width.
    """
    import numpy

    rows, columns = numpy.nonzero(labels)
    names = labels[rows, columns]
    order = numpy.argsort(names, kind="stable")
    found, starts = numpy.unique(names[order], return_index=True)
    pieces = numpy.split(order, starts[1:])
    return {
        int(name): (rows[piece], columns[piece]) for name, piece in zip(found.tolist(), pieces, strict=False)
    }


def _numbered(chosen: Pixels, before: int) -> Pixels:
    """Return a number for each that is chosen, from ``before`` + 1 on, and 0 for the others."""
    import numpy

    return (numpy.cumsum(chosen) + before) * chosen


def _joined(labels: Pixels, pixels: Pixels) -> Pixels:
    """Make one piece of those that touch and have one colour, as a net of thin lines has."""
    import numpy

    beside = [
        numpy.stack([first.ravel(), second.ravel()], axis=1)
        for first, second in ((labels[1:], labels[:-1]), (labels[:, 1:], labels[:, :-1]))
    ]
    touching = numpy.concatenate(beside)
    touching = touching[(touching[:, 0] != touching[:, 1]) & (touching.min(axis=1) > 0)]
    pairs = numpy.unique(touching, axis=0).tolist()
    if not pairs:
        return labels
    colours = {name: numpy.median(pixels[where], axis=0) for name, where in places(labels).items()}
    leader = numpy.arange(int(labels.max()) + 1)
    for first, second in pairs:
        a, b = leader[first], leader[second]
        if a != b and float(distance(colours[first], colours[second])) < _SAME:
            leader[leader == max(a, b)] = min(a, b)
    return leader[labels]


def _steepness(pixels: Pixels) -> Pixels:
    """Return how fast the colour changes at each pixel, per pixel."""
    import cv2
    import numpy

    across = cv2.Sobel(pixels, cv2.CV_32F, 1, 0) / 8
    down = cv2.Sobel(pixels, cv2.CV_32F, 0, 1) / 8
    return numpy.sqrt((across**2 + down**2).sum(axis=-1))


def _grown(labels: Pixels, standing: Pixels) -> Pixels:
    """Give the pixels between the cores to the nearest one, a pixel at a time."""
    import cv2
    import numpy

    grown = labels.astype(numpy.float32)
    cross = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
    for _ in range(6):
        free = (grown == 0) & (standing > 0)
        if not free.any():
            break
        grown = numpy.where(free, cv2.dilate(grown, cross), grown)
    return grown.astype(numpy.int32)

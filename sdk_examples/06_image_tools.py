"""Image tools: a picture is drawn, its shapes are found, one is cut out and made larger.

Needs the plugin: pip install toolhaft-vision
"""

import tempfile
from pathlib import Path

from PIL import Image, ImageDraw

from toolhaft import open_catalog

image = Image.new("RGB", (320, 200), "white")
drawing = ImageDraw.Draw(image)
drawing.ellipse((30, 50, 110, 130), fill="red")
drawing.ellipse((130, 60, 190, 120), fill="blue")
drawing.rectangle((220, 40, 299, 119), fill="green")

tools = open_catalog("vision:")
with tempfile.TemporaryDirectory() as folder:
    path = Path(folder) / "drawing.png"
    image.save(path)
    found = tools.call_sync("find_shapes", image=path)
    circles = tools.call_sync("count_circles", image=path)
    square = next(shape for shape in found["shapes"] if shape["shape"] == "square")
    crop = tools.call_sync("crop_image", image=path, box=square["box"])

larger = tools.call_sync("resize_image", image=crop["image"], scale=3)
print(found["by_shape"], found["by_color"])
print([(circle["center"], circle["radius"]) for circle in circles["circles"]])
print(square["color"], square["box"], "->", larger["width"], "x", larger["height"])
print(larger["image"].made_by.tool, larger["method"])

# prints: {'circle': 2, 'square': 1} {'green': 1, 'red': 1, 'blue': 1}
# prints: [([70, 90], 40), ([160, 90], 30)]
# prints: green [220, 40, 300, 120] -> 240 x 240
# prints: resize_image Lanczos resampling

"""The words that people use of images."""

from __future__ import annotations

import re
from collections.abc import Mapping

from toolhaft.models.heuristic.words import stem


def _stems(text: str) -> frozenset[str]:
    return frozenset(stem(word) for word in text.split())


def with_aliases(text: str) -> str:
    """Return a text followed by what tools call the things in it."""
    words = re.findall(r"[a-z]+", text.lower())
    said = dict.fromkeys(ALIASES[word] for word in words if word in ALIASES)
    if "what" in words and {"say", "says", "written", "stands", "writes", "reads"} & set(words):
        said["text"] = None
    said.update(dict.fromkeys(meant for pattern, meant in PHRASES if pattern.search(text)))
    return " ".join([text, *said])


def spoken_verb(word: str) -> str:
    """Return the stem of a verb of images in any of its forms, or empty."""
    low = word.lower()
    found = stem(IRREGULAR.get(low, low))
    return found if found in VERBS else ""


NOUNS = "|".join(
    [
        "images?|pictures?|pics?|photos?|photographs?|files?|versions?|copy|copies|cut-?out|result|output",
        "parts?|pieces?|region|area|section|crop|portion|detail|fragment|patch|snippet|half|quarter|map",
        "one|ones|thumbnail|screenshot|scan|drawing|shot|frame|bit|cutting",
        "excerpt|rectangle|box|edges|mask|snip",
    ]
)
"""A pattern of what an image, or a part of one, is called."""
VERBS: Mapping[str, str] = dict.fromkeys(
    sorted(
        _stems(
            "crop cut trim clip shrink enlarge scale downscale upscale resize rescale rotate turn flip "
            "mirror blur sharpen convert detect trace outline locate spot measure extract decode scan "
            "brighten darken invert erase mask segment make describe compare combine paste draw mark "
            "highlight take snip zoom reduce halve double smooth isolate transform desaturate straighten "
            "count read find recognise recognize identify list name point give show tell get return report "
            "say keep soften whiten tilt strip process work look search check save render produce create "
            "compute magnify augment diminish transcribe recognize read open take put look"
        )
    ),
    "read",
)
"""Intents by stem of what people say of images; a tool that makes one image of another changes nothing."""
IRREGULAR = {
    "shrunk": "shrink",
    "shrunken": "shrink",
    "taken": "take",
    "found": "find",
    "made": "make",
    "kept": "keep",
    "told": "tell",
    "drawn": "draw",
    "given": "give",
    "shown": "show",
    "wrote": "write",
}
"""Forms of verbs that a stemmer does not know."""
RESULTS = _stems(
    "result resulting new smaller larger bigger edited modified changed processed output same latest"
)
"""Words that mean what the step before made, whatever that was."""
BESIDE = frozenset(
    ["overlay", "annotated", "annotation", "marked", "preview", "drawn", "visualization", "debug"]
)
"""Words of the keys under which results have pictures that only show what was found."""
GENERAL = _stems(
    "image picture photo photograph file region area part section box rectangle piece pixel corner out left "
    "right top bottom upper lower half quarter middle centre center x y half double size wide high tall "
    "version"
)
"""Words that speak for no tool in particular."""
ALIASES: Mapping[str, str] = {
    "writing": "text",
    "written": "text",
    "wording": "text",
    "lettering": "text",
    "inscription": "text",
    "letters": "text",
    "words": "text",
    "ocr": "text",
    "transcribe": "text",
    "printed": "text",
    "typed": "text",
    "wrote": "text",
    "forms": "shapes",
    "contours": "edges",
    "characters": "text",
    "borders": "edges",
    "border": "edge",
    "boundaries": "edges",
    "figures": "shapes",
    "foreground": "background",
}
"""What tools call what people call otherwise."""
PHRASES = (
    (
        re.compile(
            r"\b(?:isolat|separat)\w*\s(?:\w+\s){0,3}?(?:object|person|subject|figure|thing)s?\b", re.I
        ),
        "background",
    ),
    (re.compile(r"\bread(?:ing)? (?:it |them |this |that )?(?:out|aloud)\b", re.I), "text"),
    (re.compile(r"\bcut-?outs?\b", re.I), "background"),
)
"""What tools call what people say in several words."""
MEDIA = _stems("image picture photo photograph drawing scan screenshot page file pic frame shot")
"""What images are called, which says nothing of what is in them."""
PLACES = _stems("square rectangle box area region part section piece window strip frame corner patch portion")
"""What a place in an image is called where its figures follow."""
EMPTY = _stems(
    "first second third last finally step thing thank hello hi morning evening day help bother look done "
    "sure all lies stands holds remains"
)
"""Words that ask for nothing."""
CUTTING = _stems(
    "take cut crop extract keep isolate snip select clip trim get use grab make halve double reduce bring "
    "set give show want need have see like open"
)
"""Verbs that only say that an image is to be had otherwise; the place or size beside them says how."""

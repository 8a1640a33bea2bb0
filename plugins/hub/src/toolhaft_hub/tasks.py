"""Names of what models do, told from the labels that sources use."""

from __future__ import annotations

import re

TASKS = (
    "audio-classification",
    "audio-to-audio",
    "audio-source-separation",
    "automatic-speech-recognition",
    "conversational",
    "depth-estimation",
    "document-question-answering",
    "feature-extraction",
    "fill-mask",
    "graph-machine-learning",
    "image-classification",
    "image-segmentation",
    "image-text-to-text",
    "image-to-image",
    "image-to-text",
    "object-detection",
    "question-answering",
    "reinforcement-learning",
    "robotics",
    "semantic-segmentation",
    "sentence-similarity",
    "summarization",
    "table-question-answering",
    "tabular-classification",
    "tabular-regression",
    "text-classification",
    "text-generation",
    "text-to-image",
    "text-to-speech",
    "text-to-video",
    "text2text-generation",
    "token-classification",
    "translation",
    "unconditional-image-generation",
    "video-classification",
    "visual-question-answering",
    "voice-activity-detection",
    "zero-shot-classification",
    "zero-shot-image-classification",
    "zero-shot-object-detection",
)

_SPELLINGS = {
    "audio-separation": "audio-source-separation",
    "document-question-answer": "document-question-answering",
    "sentiment-analysis": "text-classification",
    "ner": "token-classification",
}
"""Other names of a task that sources use."""

_KNOWN = {**{task: task for task in TASKS}, **_SPELLINGS}


def task_of(*labels: str) -> str:
    """Return the task that labels speak of.

    The longest known name at the end of a label counts, for ``Computer Vision Image Classification``; of
    several labels the first that has one.

    Args:
        *labels: The most telling first.

    Returns:
        A name from `TASKS`, else the first label with hyphens; empty if there is none.
    """
    written = [hyphenated(label) for label in labels if label.strip()]
    for label in written:
        words = label.split("-")
        for start in range(len(words)):
            found = _KNOWN.get("-".join(words[start:]))
            if found:
                return found
    return written[0] if written else ""


def hyphenated(label: str) -> str:
    """Return a label in lower case with hyphens: ``Fill-Mask`` and ``fill mask`` are the same."""
    return "-".join(re.findall(r"[a-z0-9]+", label.lower()))

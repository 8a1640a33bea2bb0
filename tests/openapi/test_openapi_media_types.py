from __future__ import annotations

import pytest

from toolhaft.openapi.media_types import matches, media_kind
from toolhaft.openapi.requests.media import form_of
from toolhaft.openapi.responses.kinds import kind_of_type


@pytest.mark.parametrize(
    ("media_type", "kind"),
    [
        ("application/json", "json"),
        ("Application/JSON; charset=utf-8", "json"),
        ("application/vnd.api+json", "json"),
        ("application/x-json", "json"),
        ("text/x-json", "json"),
        ("application/stream+json", "lines"),
        ("text/x-ndjson", "lines"),
        ("application/geo+json-seq", "sequence"),
        ("text/event-stream", "events"),
        ("application/soap+xml", "xml"),
        ("image/svg+xml", "bytes"),
        ("application/xhtml+xml", "html"),
        ("application/x-www-form-urlencoded", "form"),
        ("multipart/mixed; boundary=x", "multipart"),
        ("text/plain", "text"),
        ("application/openapi+yaml", "text"),
        ("application/octet-stream", "bytes"),
        ("application/x-unheard-of", None),
        ("*/*", None),
        ("", None),
    ],
)
def test_requests_and_answers_agree_on_what_a_media_type_is(media_type, kind):
    assert media_kind(media_type) == kind
    assert form_of(media_type) == ("text" if kind == "html" else kind)
    assert kind_of_type(media_type) == ("lines" if kind == "sequence" else kind or "bytes")


@pytest.mark.parametrize(
    ("media_type", "wanted", "fits"),
    [
        ("image/png; q=1", "IMAGE/*", True),
        ("image/png", "image/png;a=b", True),
        ("image/png", "*/*", True),
        ("imagery/png", "image/*", False),
        ("image/png", "image/jpeg", False),
    ],
)
def test_ranges_take_what_lies_in_them(media_type, wanted, fits):
    assert matches(media_type, wanted) is fits

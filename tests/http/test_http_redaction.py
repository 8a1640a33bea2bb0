"""The filter that stands before every sink."""

import base64
import json
import logging
import random
import string
import time

import pytest

from toolhaft.errors import ConfigError
from toolhaft.secrets import SecretStore
from toolhaft.types import SecretRef


def test_every_alignment_of_base64_is_found():
    draw = random.Random(5)
    for _ in range(100):
        value = "".join(draw.choices(string.ascii_letters + string.digits + "+/=-_~:", k=draw.randint(9, 80)))
        store = SecretStore({"k": value})
        for before in range(5):
            for after in range(4):
                raw = b"x" * before + value.encode() + b"y" * after
                for encode in (base64.b64encode, base64.urlsafe_b64encode):
                    text = encode(raw).decode()
                    assert "[secret memory:k]" in store.redact(f"<{text}>")


def test_values_are_redacted_in_depth():
    store = SecretStore({"k": "the-value"})
    value = {"the-value": [1, None, True, ("x the-value",), {"a": "the-value"}], "b": 2.5}
    redacted = store.redact_value(value)
    assert "the-value" not in json.dumps(redacted)
    assert redacted["b"] == 2.5
    assert value["b"] == 2.5
    assert "the-value" in value


def test_bytes_are_redacted():
    store = SecretStore({"k": "wert-ü-1"})
    assert store.redact_bytes("\0\xff".encode("latin-1") + "wert-ü-1".encode()) == b"\0\xff[secret memory:k]"


def test_registered_values_are_masked_without_a_name():
    store = SecretStore()
    store.register("token-of-this-run")
    store.register("token-of-this-run")
    assert store.redact("a token-of-this-run b") == "a [secret] b"


@pytest.mark.parametrize("value", ["", "abc", "a\nb-and-more", "a\x7fbcdefg"])
def test_what_is_no_credential_is_refused(value):
    with pytest.raises(ConfigError):
        SecretStore({"k": value})


def test_reference_that_is_the_secret_itself_is_not_repeated():
    with pytest.raises(ConfigError) as caught:
        SecretRef("sk-this is a key")
    assert "sk-this" not in str(caught.value)


def test_log_records_are_redacted_with_their_tracebacks():
    store = SecretStore({"k": "the-value"})
    log_filter = store.logging_filter()
    try:
        raise ValueError("bad the-value")
    except ValueError as error:
        info = (type(error), error, error.__traceback__)
    record = logging.LogRecord("n", 30, "p", 1, "x %s %d", ("the-value", 3), info, sinfo="the-value")
    assert log_filter.filter(record)
    text = logging.Formatter().format(record)
    assert "the-value" not in text
    assert "x [secret memory:k] 3" in text


def test_filter_is_quick_enough_for_every_sink():
    store = SecretStore({f"k{n}": f"secret-value-{n:04}-{'x' * n}" for n in range(10)})
    text = "Some text that holds nothing. " * 3_400
    best = min(_seconds(store, text) for _ in range(5))
    assert best < 0.1  # for 100 kB and ten secrets; about 10 ms where nothing else runs


def _seconds(store, text):
    started = time.perf_counter()
    store.redact(text)
    return time.perf_counter() - started

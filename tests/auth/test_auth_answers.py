"""What an authorisation server answers is secret, whatever else it says."""

import json

import pytest

from toolhaft.auth.token import read_token
from toolhaft.errors import AuthError
from toolhaft.http.message import Response
from toolhaft.secrets import SecretStore

TOKENS = {"access_token": "canary-access", "refresh_token": "canary-refresh", "id_token": "canary-identity"}


def answer(status=200, **more):
    return Response(
        status=status, url="https://issuer.example/token", body=json.dumps(TOKENS | more).encode()
    )


def read(response, store):
    return read_token(response, scheme="o", asked=("a",), secrets=store, where="https://issuer.example")


@pytest.mark.parametrize(
    "response",
    [answer(), answer(400, error="invalid_grant"), answer(error="invalid_scope"), answer(token_type="mac")],
    ids=["granted", "refused", "refused with 200", "of another type"],
)
def test_every_token_in_an_answer_is_known_to_the_filter(response):
    store = SecretStore()
    try:
        shown = repr(read(response, store))
    except AuthError as error:
        shown = str(error)
    assert "canary" not in shown
    assert "canary" not in store.redact(" ".join(TOKENS.values()))


@pytest.mark.parametrize(
    ("lifetime", "expires"),
    [(3600, True), ("60", True), (None, False), ("soon", False), (-5, False), (True, False), (1e400, True)],
)
def test_lifetimes_that_make_no_sense_are_left_to_the_next_refusal(lifetime, expires):
    token = read(answer(expires_in=lifetime), SecretStore())
    assert (token.expires_at is not None) is expires
    assert token.is_fresh

"""Bad input of `qdrant` and `cross-encoder`: settings that end in one clear error; nothing is loaded."""

import pytest

from toolhaft.errors import ToolhaftError, UsageError
from toolhaft.hooks import Registry

SERVER = "https://qdrant.example.com"
QDRANT = {
    "no URL": ({"url": "qdrant"}, "this URL is refused: not absolute"),
    "another scheme": ({"url": "grpc://host"}, "its scheme is not http or https"),
    "a password in the URL": ({"url": "https://me:secret@host"}, "a user name or password stands in it"),
    "a query in the URL": ({"url": f"{SERVER}/?a=b"}, "has a query"),
    "a port beyond all": ({"url": f"{SERVER}:99999"}, "its port is not between"),
    "a null byte": ({"url": "https://a\0b"}, "url is"),
    "a number for a URL": ({"url": 6333}, "url is 6333"),
    "an empty URL": ({"url": ""}, "url is ''"),
    "a key by value": ({"url": SERVER, "key": "sk-very-secret"}, "by reference, not by value"),
    "a key without a server": ({"key": "env:KEY"}, "are for a server"),
    "hosts without a server": ({"allow_hosts": "localhost"}, "are for a server"),
    "a host that is none": ({"url": SERVER, "allow_hosts": "a b"}, "is not a host"),
    "a collection with a path": ({"collection": "../other"}, "collection is '../other'"),
    "a collection that is a number": ({"collection": 7}, "collection is 7"),
    "a long collection": ({"collection": "x" * 201}, "collection is "),
    "no batch": ({"batch": 0}, "batch is 0"),
    "no time": ({"timeout": 0}, "timeout is 0"),
    "time that is no number": ({"timeout": "x"}, "timeout is 'x'"),
    "no such runtime": ({"runtime": "jax"}, "runtime is 'jax'"),
    "no such precision": ({"precision": "int4"}, "precision is 'int4'"),
    "no such encoder": ({"model": "absent/folder"}, "there is no such folder"),
    "a number for an encoder": ({"model": 3}, "model is 3"),
    "threads without end": ({"threads": 10**9}, "threads is"),
}


@pytest.mark.parametrize("case", QDRANT)
def test_qdrant(case):
    settings, says = QDRANT[case]
    with pytest.raises(ToolhaftError) as caught:
        Registry.load().retriever("qdrant", **settings)
    assert says in str(caught.value)
    assert "secret" not in str(caught.value).replace("a secret must be given", "")


CROSS_ENCODER = {
    "no model": ({}, "needs the setting 'model'"),
    "an empty model": ({"model": ""}, "model is empty"),
    "a model that is not there": ({"model": "cross-encoder/ms-marco-MiniLM-L6-v2"}, "never downloaded"),
    "a number for a model": ({"model": 3}, "model is 3"),
    "a null byte": ({"model": "a\0b"}, "no path"),
    "no such runtime": ({"model": "x", "runtime": "jax"}, "runtime is 'jax'"),
    "an unhashable precision": ({"model": "x", "precision": ["int8"]}, "precision is"),
    "no batch": ({"model": "x", "batch_tokens": 0}, "batch_tokens is 0"),
    "a batch that is true": ({"model": "x", "batch_tokens": True}, "batch_tokens is True"),
    "threads of a half": ({"model": "x", "threads": 0.5}, "threads is 0.5"),
}


@pytest.mark.parametrize("case", CROSS_ENCODER)
def test_cross_encoder(case):
    settings, says = CROSS_ENCODER[case]
    with pytest.raises(UsageError) as caught:
        Registry.load().reranker("cross-encoder", **settings)
    assert says in str(caught.value)

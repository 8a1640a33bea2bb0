"""openapi-spec-validator is asked in a process of its own, and reaches neither files nor the network."""

import copy
import json
import time

import pytest

from toolhaft.openapi.validating import validate_documents, validate_location

pytest.importorskip("openapi_spec_validator")
pytestmark = [pytest.mark.anyio, pytest.mark.slow]

DOCUMENT = {
    "openapi": "3.0.3",
    "info": {"title": "Pets", "version": "1"},
    "paths": {"/pets": {"get": {"responses": {"200": {"description": "Pets"}}}}},
}


def with_schema(schema):
    document = copy.deepcopy(DOCUMENT)
    answer = document["paths"]["/pets"]["get"]["responses"]["200"]
    answer["content"] = {"application/json": {"schema": schema}}
    return document


async def test_a_good_document_has_no_findings(tmp_path):
    path = tmp_path / "pets.json"
    path.write_text(json.dumps(DOCUMENT))
    assert await validate_location(path) == []


async def test_findings_have_a_pointer_and_are_limited():
    document = copy.deepcopy(DOCUMENT)
    document["paths"] |= {f"/a{n}": {"get": {"responses": 7}} for n in range(5)}
    found = await validate_documents({"": document}, most=3)
    assert len(found) == 3
    assert found[0].startswith("/paths/~1a0/get/responses: 7 ")


async def test_a_document_of_2_0_is_read_as_its_author_wrote_it(tmp_path):
    document = {
        "swagger": "2.0",
        "info": {"title": "Pets", "version": "1"},
        "host": "pets.example.com",
        "securityDefinitions": {"key": {"type": "apiKey", "in": "header", "name": "X-Key"}},
        "paths": {"/pets": {"get": {"responses": {"200": {"description": "Pets"}}}}},
    }
    path = tmp_path / "pets.json"
    path.write_text(json.dumps(document))
    assert await validate_location(path) == []


async def test_files_that_were_read_are_found(tmp_path):
    (tmp_path / "pet.json").write_text(json.dumps({"Pet": {"type": "strange"}}))
    (tmp_path / "pets.json").write_text(json.dumps(with_schema({"$ref": "pet.json#/Pet"})))
    found = await validate_location(tmp_path / "pets.json")
    assert any("strange" in finding for finding in found)


class Listener:
    """A port on loopback that counts who comes."""

    def __init__(self):
        import socket

        self._socket = socket.create_server(("127.0.0.1", 0))
        self._socket.settimeout(0.1)
        self.port = self._socket.getsockname()[1]

    def visited(self):
        try:
            self._socket.accept()[0].close()
        except TimeoutError:
            return False
        finally:
            self._socket.close()
        return True


@pytest.mark.parametrize("scheme", ["http", "https", "ftp"])
async def test_no_socket_is_opened(scheme):
    listener = Listener()
    reference = f"{scheme}://127.0.0.1:{listener.port}/pet.json"
    (found,) = await validate_documents({"": with_schema({"$ref": reference})})
    assert "gave up" in found
    assert not listener.visited()


@pytest.mark.parametrize("prefix", ["file://", ""])
async def test_no_file_is_opened(tmp_path, prefix):
    secret = tmp_path / "secret.json"
    secret.write_text('{"type": "secret-value"}')
    found = await validate_documents({"": with_schema({"$ref": f"{prefix}{secret}"})})
    assert found
    assert "secret-value" not in str(found)


async def test_it_ends_in_time_and_says_so():
    document = copy.deepcopy(DOCUMENT)
    document["paths"] = {f"/a{n}": document["paths"]["/pets"] for n in range(20_000)}
    started = time.monotonic()
    found = await validate_documents({"": document}, seconds=1)
    assert time.monotonic() - started < 10
    assert found[-1] == "not finished after 1 seconds; there may be more"


async def test_the_command_shows_findings_and_imports_all_the_same(tmp_path):
    from typer.testing import CliRunner

    from toolhaft.cli.tools import app

    document = copy.deepcopy(DOCUMENT)
    del document["info"]["version"]
    (tmp_path / "pets.json").write_text(json.dumps(document))
    from anyio import to_thread

    words = ["import", str(tmp_path / "pets.json"), "--validate"]
    done = await to_thread.run_sync(lambda: CliRunner().invoke(app, words))
    assert done.exit_code == 0
    assert '/info: "version" is a required property' in done.output
    assert "1 imported" in done.output

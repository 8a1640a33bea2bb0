"""A running world, a client that speaks plain HTTP to it, and the world of the guide."""

import re
from pathlib import Path

import httpx
import pytest

from toolhaft.world.contract import contracts
from toolhaft.world.documents import read_document, service_names
from toolhaft.world.server import World, secret_name

OPERATIONS = {
    contract.id: (name, contract) for name in service_names() for contract in contracts(read_document(name))
}
GUIDE = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "write-a-world.md"


class Caller:
    """Turns flat arguments into requests by the documents, with nothing of the importer's in between."""

    def __init__(self, world, client):
        self.world = world
        self.client = client

    def credentials(self, service):
        """Return the query and the headers that a service's document asks for."""
        query, headers = {}, {}
        schemes = read_document(service).get("components", {}).get("securitySchemes", {})
        for name, scheme in schemes.items():
            secret = self.world.secrets.get(secret_name(name), "")
            if scheme["type"] == "http":
                headers["Authorization"] = f"Bearer {secret}"
            else:
                (query if scheme["in"] == "query" else headers)[scheme["name"]] = secret
        return query, headers

    def headers(self, service):
        return self.credentials(service)[1]

    def query(self, service):
        return self.credentials(service)[0]

    def send(self, run, operation, arguments=None):
        service, contract = OPERATIONS[operation]
        rest = dict(arguments or {})
        path, query, headers = contract.path, self.query(service), self.headers(service)
        for parameter in contract.parameters:
            if parameter.name not in rest:
                continue
            value = rest.pop(parameter.name)
            if parameter.place == "path":
                path = path.replace("{" + parameter.name + "}", value)
            elif parameter.place == "header":
                headers[parameter.name] = str(value)
            elif isinstance(value, list) and not parameter.explode:
                query[parameter.name] = ",".join(value)
            else:
                query[parameter.name] = value
        body = {}
        if contract.media_type:
            body = {"json": rest} if "json" in contract.media_type else {"data": rest}
        url = self.world.service_url(service, run) + path
        return self.client.request(contract.method, url, params=query, headers=headers, **body)

    def call(self, run, operation, arguments=None):
        answer = self.send(run, operation, arguments)
        assert answer.status_code < 400, answer.text
        return answer.json() if answer.content else None


@pytest.fixture(scope="session")
def world():
    served = World()
    served.start()
    yield served
    served.stop()


@pytest.fixture(scope="session")
def caller(world):
    with httpx.Client(timeout=10) as client:
        yield Caller(world, client)


@pytest.fixture
def run(request, world):
    """A run of this test alone."""
    name = "".join(letter if letter.isalnum() else "-" for letter in request.node.name)[:80]
    yield name
    world.store.reset(name)


@pytest.fixture
def garden(tmp_path):
    """The folder of the world that the guide tells its reader to write."""
    files = re.findall(
        r"^```yaml path=(\S+)\n(.*?)^```$", GUIDE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )
    for name, text in files:
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return tmp_path / "garden"

"""The world as a web application: routes made from the documents, and a check of credentials."""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from toolhaft.errors import ToolhaftError
from toolhaft.world.contract import Contract, RawRequest
from toolhaft.world.loading import LoadedService
from toolhaft.world.problem import MEDIA_TYPE, MISTAKES, RequestProblem, mistake
from toolhaft.world.store import Store

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

MOST_BODY = 256_000
_RUN = "_run"
"""Where a document's path may have a parameter named ``run`` of its own."""


class RunKeeper(Protocol):
    """What the routes for the one who runs the world need of it."""

    store: Store
    title: str

    def prepare_by_id(self, run: str, task: str) -> None:
        """Put a run to the beginning that a task wants."""


def build_app(world: RunKeeper, services: Sequence[LoadedService], keys: Mapping[str, str]) -> Starlette:
    """Make the application.

    Args:
        world: Keeps the runs.
        services: What is served.
        keys: Credentials by name of their security scheme.
    """
    from starlette.applications import Starlette
    from starlette.exceptions import HTTPException
    from starlette.middleware import Middleware
    from starlette.middleware.trustedhost import TrustedHostMiddleware

    async def refuse(_request: Request, error: Exception) -> Response:
        if isinstance(error, RequestProblem):
            return _refusal(error)
        status = error.status_code if isinstance(error, HTTPException) else 500
        return _refusal(RequestProblem(status, "There is no such operation"))

    return Starlette(
        routes=[
            _index_route(world, services),
            *_control_routes(world),
            *(route for part in services for route in _document_routes(part.service.name, part.document)),
            *(
                _operation_route(world.store, part, contract, keys)
                for part in services
                for contract in part.contracts
            ),
        ],
        exception_handlers={HTTPException: refuse, RequestProblem: refuse},
        # Pages of other sites may reach loopback by a name of theirs; those names are refused.
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost"])],
    )


def _index_route(world: RunKeeper, services: Sequence[LoadedService]) -> Route:
    from starlette.responses import JSONResponse
    from starlette.routing import Route

    titles = {part.service.name: str(part.document["info"].get("title", "")) for part in services}

    async def index(request: Request) -> Response:
        rows = [
            {"name": name, "title": title, "document": f"{request.base_url}{name}/openapi.json"}
            for name, title in titles.items()
        ]
        return JSONResponse({"title": world.title, "services": rows})

    return Route("/", index, methods=["GET"])


def _control_routes(world: RunKeeper) -> list[Route]:
    from starlette.responses import JSONResponse, Response
    from starlette.routing import Route

    async def show(request: Request) -> Response:
        return JSONResponse(world.store.state(request.path_params["run"]))

    async def reset(request: Request) -> Response:
        run, task = request.path_params["run"], _named_task(await _read_body(request))
        if task:
            try:
                world.prepare_by_id(run, task)
            except ToolhaftError as error:
                raise RequestProblem(422, str(error)) from None
        else:
            world.store.reset(run)
        return Response(status_code=204)

    return [
        Route("/runs/{run}/state", show, methods=["GET"]),
        Route("/runs/{run}/reset", reset, methods=["POST"]),
    ]


def _named_task(body: bytes) -> str:
    """Return the task that the body of a reset names; empty without one."""
    import orjson

    if not body.strip():
        return ""
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise RequestProblem(400, "The body is not JSON") from None
    task = value.get("task") if isinstance(value, dict) and set(value) == {"task"} else None
    if not isinstance(task, str) or not task:
        raise RequestProblem(422, 'The body is {"task": ID}, or there is none')
    return task


def _document_routes(service: str, document: dict[str, Any]) -> list[Route]:
    from starlette.responses import JSONResponse, Response
    from starlette.routing import Route

    def located(request: Request) -> dict[str, Any]:
        run = request.path_params.get("run", "default")
        return {**document, "servers": [{"url": f"{request.base_url}runs/{run}/{service}"}]}

    async def as_json(request: Request) -> Response:
        return JSONResponse(located(request))

    async def as_yaml(request: Request) -> Response:
        import yaml

        text = yaml.dump(located(request), Dumper=yaml.CSafeDumper, sort_keys=False, allow_unicode=True)
        return Response(text, media_type="application/yaml")

    return [
        Route(f"{root}/{service}/openapi.{ending}", endpoint, methods=["GET"])
        for root in ("", "/runs/{run}")
        for ending, endpoint in (("json", as_json), ("yaml", as_yaml))
    ]


def _operation_route(store: Store, part: LoadedService, contract: Contract, keys: Mapping[str, str]) -> Route:
    from starlette.responses import Response
    from starlette.routing import Route

    service, schemes = part.service.name, part.schemes

    async def endpoint(request: Request) -> Response:
        _check_credentials(request, contract.security, schemes, keys)
        raw = RawRequest(
            path=request.path_params,
            query=request.query_params.multi_items(),
            headers=request.headers,
            body=await _read_body(request),
        )
        try:
            answer = store.perform(request.path_params[_RUN], service, contract, raw)
            if contract.status == 204:
                return Response(status_code=204)
            return _json(answer, contract.status)
        except MISTAKES as error:  # such as a number that JSON has no room for
            raise mistake(contract.id, error) from None

    return Route(f"/runs/{{{_RUN}}}/{service}{contract.path}", endpoint, methods=[contract.method])


def _check_credentials(
    request: Request,
    security: list[dict[str, list[str]]],
    schemes: Mapping[str, Any],
    keys: Mapping[str, str],
) -> None:
    if not security:
        return
    for requirement in security:
        if all(_carries(request, schemes[name], keys[name]) for name in requirement):
            return
    scheme = schemes[next(iter(security[0]))]
    if scheme["type"] == "http":
        raise RequestProblem(
            401, "The bearer token is missing or wrong", headers={"WWW-Authenticate": "Bearer"}
        )
    raise RequestProblem(
        401, f"The key is missing or wrong; send it in the {scheme['in']} as {scheme['name']}"
    )


def _carries(request: Request, scheme: Mapping[str, str], key: str) -> bool:
    if scheme["type"] == "http":
        kind, _, given = request.headers.get("authorization", "").partition(" ")
        given = given if kind.lower() == "bearer" else ""
    elif scheme["in"] == "header":
        given = request.headers.get(scheme["name"], "")
    else:
        given = request.query_params.get(scheme["name"], "")
    return hmac.compare_digest(given.encode(), key.encode())


async def _read_body(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BODY:
            raise RequestProblem(413, f"The body is longer than {MOST_BODY} bytes")
    return bytes(body)


def _json(value: Any, status: int, media_type: str = "application/json") -> Response:
    import orjson
    from starlette.responses import Response

    return Response(orjson.dumps(value), status_code=status, media_type=media_type)


def _refusal(problem: RequestProblem) -> Response:
    answer = _json(problem.body(), problem.status, MEDIA_TYPE)
    answer.headers.update(problem.headers)
    return answer

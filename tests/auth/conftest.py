"""An authorisation server and an API on loopback, each on a port of its own, that misbehave on request."""

import base64
import hashlib
import itertools
import json
import re
from urllib.parse import parse_qs, parse_qsl, unquote_plus, urlencode

import pytest

from toolhaft.http import Egress, HTTPClient, Limits, Retry
from toolhaft.http.loopback import LoopbackServer

USERS = {"ann": "ann-password-1"}
CLIENTS = {"app": "app-secret-1", "other": "other-secret-2", "public": None}


class Issuer:
    """An authorisation server.

    Attributes:
        asked: The forms of every token request, with the header as ``authorization``.
        live: Tokens that are good -> their scopes.
        form_only: Clients must give their secret in the form.
        rotates: Each refresh token serves once; a second use ends everything.
        twist: Changes an answer before it is sent.
    """

    def __init__(self):
        self.url = ""
        self.reset()

    def reset(self):
        self.asked, self.live, self.codes, self.refreshes = [], {}, {}, {}
        self.devices = {}
        self.form_only = self.rotates = self.reused = self.gives_refresh = False
        self.twist = self.metadata = self.delay = None
        self.life = 3600
        self.numbers = itertools.count(1)
        self.pending = 1

    async def __call__(self, scope, receive, send):
        from starlette.applications import Starlette
        from starlette.routing import Route

        app = Starlette(
            routes=[
                Route("/token", self.token, methods=["POST"]),
                Route("/authorize", self.authorize),
                Route("/device", self.device, methods=["POST"]),
                Route("/.well-known/openid-configuration", self.discovery),
            ]
        )
        await app(scope, receive, send)

    async def token(self, request):
        import asyncio

        from starlette.responses import JSONResponse

        form = dict(parse_qsl((await request.body()).decode(), keep_blank_values=True))
        self.asked.append({**form, "authorization": request.headers.get("authorization", "")})
        if self.delay:
            await asyncio.sleep(self.delay)
        if self.twist is not None:
            answer = self.twist(form)
            if answer is not None:
                return answer
        client, secret = form.get("client_id"), form.get("client_secret")
        header = request.headers.get("authorization", "")
        if header.startswith("Basic ") and not self.form_only:
            client, _, secret = base64.b64decode(header[6:]).decode().partition(":")
            client, secret = unquote_plus(client), unquote_plus(secret)
        if client not in CLIENTS or secret != CLIENTS[client]:
            return JSONResponse({"error": "invalid_client"}, 401)
        refused, scopes, refreshes = self.check(form, client)
        if refused:
            return JSONResponse({"error": refused, "error_description": f"no: {refused}"}, 400)
        return JSONResponse(self.issue(scopes, refreshes))

    def check(self, form, client):
        grant = form.get("grant_type")
        scopes = form.get("scope", "")
        if grant == "client_credentials":
            return "", scopes, False
        if grant == "password":
            right = USERS.get(form.get("username")) == form.get("password")
            return ("" if right else "invalid_grant"), scopes, True
        if grant == "refresh_token":
            known = self.refreshes.get(form.get("refresh_token"))
            if known is None or known[1] <= 0:
                self.reused = self.reused or known is not None
                return "invalid_grant", "", False
            if self.rotates:
                known[1] = 0
            return "", known[0], self.rotates
        if grant == "authorization_code":
            known = self.codes.pop(form.get("code"), None)
            digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
            challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
            right = known and known["code_challenge"] == challenge and known["client_id"] == client
            right = right and known["redirect_uri"] == form.get("redirect_uri")
            return ("" if right else "invalid_grant"), known["scope"] if known else "", True
        if grant == "urn:ietf:params:oauth:grant-type:device_code":
            known = self.devices.get(form.get("device_code"))
            if known is None:
                return "invalid_grant", "", False
            known["polls"] += 1
            return ("authorization_pending" if known["polls"] <= self.pending else ""), known["scope"], True
        return "unsupported_grant_type", "", False

    def issue(self, scopes, refreshes):
        number = next(self.numbers)
        value = f"canary-access-{number:04d}-{'x' * 8}"
        self.live[value] = scopes.split()
        answer = {"access_token": value, "token_type": "Bearer", "expires_in": self.life}
        if scopes:
            answer["scope"] = scopes
        if refreshes or self.gives_refresh:
            answer["refresh_token"] = f"canary-refresh-{number:04d}-{'y' * 8}"
            self.refreshes[answer["refresh_token"]] = [scopes, 1]
        return answer

    async def authorize(self, request):
        from starlette.responses import RedirectResponse

        asked = dict(request.query_params)
        assert asked["code_challenge_method"] == "S256"
        assert asked["response_type"] == "code"
        code = f"canary-code-{next(self.numbers):04d}"
        self.codes[code] = {"scope": asked.get("scope", ""), **asked}
        fields = {"code": code, "state": asked["state"]}
        if self.metadata is not None:
            fields["iss"] = self.url
        return RedirectResponse(f"{asked['redirect_uri']}?{urlencode(fields)}", 302)

    async def device(self, request):
        from starlette.responses import JSONResponse

        form = {key: values[0] for key, values in parse_qs((await request.body()).decode()).items()}
        code = f"canary-device-{next(self.numbers):04d}"
        self.devices[code] = {"polls": 0, "scope": form.get("scope", "")}
        return JSONResponse(
            {
                "device_code": code,
                "user_code": "WDJB-MJHT",
                "verification_uri": f"{self.url}/activate",
                "interval": 0.02,
                "expires_in": 60,
            }
        )

    async def discovery(self, request):
        from starlette.responses import JSONResponse

        fields = {
            "issuer": self.url,
            "token_endpoint": f"{self.url}/token",
            "authorization_endpoint": f"{self.url}/authorize",
            "device_authorization_endpoint": f"{self.url}/device",
            "authorization_response_iss_parameter_supported": True,
            **(self.metadata or {}),
        }
        return JSONResponse({key: value for key, value in fields.items() if value is not None})


class API:
    """An API that asks for bearer tokens, keys or a digest.

    Attributes:
        seen: ``(method, path, headers)`` of every request.
    """

    def __init__(self, issuer):
        self.issuer, self.url = issuer, ""
        self.reset()

    def reset(self):
        self.seen = []
        self.wants = ()
        self.refuse_always = False
        self.algorithm, self.quality, self.nonces = "MD5", "auth", itertools.count(1)
        self.nonce, self.uses, self.stale_after = "", {}, 10**6
        self.password = "digest-password-1"

    async def __call__(self, scope, receive, send):
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        headers = {name.decode(): value.decode("latin-1") for name, value in scope["headers"]}
        target = scope["raw_path"].decode() + (
            "?" + scope["query_string"].decode() if scope["query_string"] else ""
        )
        self.seen.append((scope["method"], target, headers))
        status, extra, answer = self.answer(scope["method"], scope["path"], target, headers, body)
        data = json.dumps(answer).encode()
        raw = [(b"content-type", b"application/json"), (b"content-length", str(len(data)).encode())]
        raw += [(name.encode(), value.encode()) for name, value in extra]
        await send({"type": "http.response.start", "status": status, "headers": raw})
        await send({"type": "http.response.body", "body": data})

    def answer(self, method, path, target, headers, body):
        if path.startswith("/digest"):
            return self.digest(method, target, headers, body)
        if path.startswith("/moved"):
            return 303, [("location", "/secret")], {}
        if path.startswith("/open"):
            return 200, [], {"echo": headers, "target": target}
        token = headers.get("authorization", "").removeprefix("Bearer ")
        if token not in self.issuer.live or self.refuse_always:
            return 401, [("www-authenticate", 'Bearer error="invalid_token"')], {"message": "no"}
        lacking = [scope for scope in self.wants if scope not in self.issuer.live[token]]
        if lacking:
            wanted = " ".join(self.wants)
            challenge = f'Bearer error="insufficient_scope", scope="{wanted}"'
            return 403, [("www-authenticate", challenge)], {"message": "more"}
        return 200, [], {"ok": True, "body": len(body)}

    def digest(self, method, target, headers, body):
        name = {"MD5": "md5", "SHA-256": "sha256", "SHA-512-256": "sha512_256"}
        given = headers.get("authorization", "")
        fields = {
            key: quoted or bare
            for key, quoted, bare in re.findall(r'([a-z*]+)=(?:"([^"]*)"|([^,\s]+))', given)
        }
        stale = False
        if given.startswith("Digest ") and fields.get("nonce") == self.nonce and self.nonce:
            self.uses[fields.get("nc", "")] = self.uses.get(fields.get("nc", ""), 0) + 1
            stale = len(self.uses) > self.stale_after

            def h(text):
                return hashlib.new(name[self.algorithm.removesuffix("-sess")], text.encode()).hexdigest()

            one = h(f"ann:things@example:{self.password}")
            if self.algorithm.endswith("-sess"):
                one = h(f"{one}:{fields['nonce']}:{fields['cnonce']}")
            two = f"{method}:{target}"
            if self.quality == "auth-int":
                two += f":{h(body.decode())}"
            middle = f"{fields['nc']}:{fields['cnonce']}:{self.quality}:" if self.quality else ""
            right = h(f"{one}:{fields['nonce']}:{middle}{h(two)}")
            same = fields["uri"] == target and fields.get("opaque") == "op,aque=1"
            if right == fields["response"] and same and not stale and max(self.uses.values()) == 1:
                return 200, [], {"ok": True}
        self.nonce, self.uses = f"nonce-{next(self.nonces)}", {}
        quality = f', qop="{self.quality}"' if self.quality else ""
        challenge = (
            f'Digest realm="things@example", nonce="{self.nonce}", opaque="op,aque=1", '
            f"algorithm={self.algorithm}{quality}{', stale=true' if stale else ''}"
        )
        return 401, [("www-authenticate", f'Basic realm="Digest nonce=x", {challenge}')], {"message": "no"}


def served(app):
    server = LoopbackServer(app, name=type(app).__name__)
    server.start()
    app.url = server.url
    yield app
    server.stop()


@pytest.fixture(scope="session")
def running_issuer():
    yield from served(Issuer())


@pytest.fixture(scope="session")
def running_api(running_issuer):
    yield from served(API(running_issuer))


@pytest.fixture
def issuer(running_issuer):
    running_issuer.reset()
    return running_issuer


@pytest.fixture
def api(running_api, issuer):
    running_api.reset()
    return running_api


@pytest.fixture
def connect():
    """Make clients that may speak to loopback: ``connect(origin)``; they share what they are given."""
    made = []

    def prepare(secrets, **settings):
        def make(origin=None):
            client = HTTPClient(
                egress=Egress(allow_hosts=("127.0.0.1",)),
                limits=Limits(seconds=5),
                retry=Retry(attempts=2, first_wait=0.002, max_wait=1, breaker=0),
                secrets=secrets,
                **settings,
            )
            made.append(client)
            return client

        return make

    return prepare


@pytest.fixture
def document(api, issuer):
    """Make an OpenAPI document of the API: one operation for each entry ``path: security``."""

    def make(security, *, schemes=None, servers=None, version="3.1.0", **root):
        flow = {"tokenUrl": f"{issuer.url}/token", "scopes": {"read": "", "write": ""}}
        login = {**flow, "authorizationUrl": f"{issuer.url}/authorize"}
        known = {
            "shop": {"type": "oauth2", "flows": {"clientCredentials": flow}},
            "person": {"type": "oauth2", "flows": {"authorizationCode": login}},
            "key": {"type": "apiKey", "in": "query", "name": "api_key"},
            "dsn": {"type": "dsn"},
            "digest": {"type": "http", "scheme": "Digest"},
        }
        return {
            "openapi": version,
            "info": {"title": "Shop", "version": "1"},
            "servers": servers or [{"url": api.url}],
            "components": {"securitySchemes": schemes or known},
            "paths": {
                path: {"get": {"operationId": path.strip("/").replace("/", "_"), "security": wanted}}
                for path, wanted in security.items()
            },
            **root,
        }

    return make


@pytest.fixture
def toolhaft(monkeypatch, capsys, tmp_path):
    """Run a command in this process, in a folder of its own: ``code, out, err = toolhaft("run", ...)``."""

    def command(*words):
        from toolhaft.cli.main import main

        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr("sys.argv", ["toolhaft", *map(str, words)])
        code = 0
        try:
            main()
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 0 if end.code is None else 1
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return command

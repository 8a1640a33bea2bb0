"""Any model behind an endpoint of the chat-completions format: OpenAI's, vLLM, llama.cpp, Ollama, ..."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from toolhaft.errors import ConfigError, HTTPError, ModelError, UsageError
from toolhaft.models.answer import AnswerReader
from toolhaft.models.base import Model
from toolhaft.models.endpoint import AUTO_KEY, find_endpoint
from toolhaft.models.profiled import choose_profile, restored
from toolhaft.settings import load_settings
from toolhaft.types import Completion, Message, ToolCall, ToolSpec

if TYPE_CHECKING:
    from toolhaft.http.client import HTTPClient
    from toolhaft.http.message import Request
    from toolhaft.http.streamed import StreamedResponse
    from toolhaft.models.wire import RequestEncoder
    from toolhaft.secrets import SecretStore
    from toolhaft.tools.artifacts import ArtifactStore
    from toolhaft.tools.profiles import ProfileName

_LARGEST_ANSWER = 20_000_000
_HEADERS = (("content-type", "application/json"), ("accept", "application/json"))
_STREAM_HEADERS = (("content-type", "application/json"), ("accept", "text/event-stream"))
_EVENT_BEGINNINGS = (b"data:", b"event:", b"id:", b":")
_OWN_FIELDS = ("model", "messages", "tools", "stream", "stream_options")


class ChatModel(Model):
    """A language model behind an endpoint that speaks OpenAI's chat-completions format.

    Args:
        name: The model's name at the endpoint, or a whole reference such as ``http://host:8000/v1#qwen3``.
            An address without a name stands for the only model that is served there.
        base_url: The endpoint's address; by default ``OPENAI_BASE_URL``, else OpenAI's. Its host may be
            private or this machine: the user named it.
        api_key: Reference of the key, as in ``env:OPENAI_API_KEY``; None for none. ``auto`` is that one
            where the address is OpenAI's or ``OPENAI_BASE_URL``, and none for any other address.
        secrets: Resolves the key; its filter goes over what the endpoint reports.
        client: Sends the requests; by default one that may speak to this endpoint alone.
        timeout: Seconds for one answer, retries included.
        temperature: Left to the endpoint if None.
        max_tokens: Upper limit of every answer's length; a smaller one given to ``complete`` wins.
        parallel: Whether the model may ask for several calls at once.
        stream: True always streams, False never; None streams where somebody listens to the pieces.
        extra: More fields for every request, JSON values; None leaves out a field such as ``seed``.
        prices: Price of a million tokens as ``{"input": ..., "output": ...}``, for `Usage.cost`.
        artifacts: Where the images of messages are found; without it the model sees their handles only.
        schema_profile: Whose rules the schemas of tools keep: ``plain``, ``openai``, ``openai-strict``,
            ``anthropic`` or ``gemini``; None chooses by the address, ``openai`` where that tells nothing.

    Raises:
        ConfigError: The address, the key's reference or a setting makes no sense.
    """

    def __init__(
        self,
        name: str = "",
        *,
        base_url: str | None = None,
        api_key: str | None = AUTO_KEY,
        secrets: SecretStore | None = None,
        client: HTTPClient | None = None,
        timeout: float = 120.0,
        temperature: float | None = None,
        max_tokens: int | None = None,
        parallel: bool = True,
        stream: bool | None = None,
        extra: Mapping[str, Any] | None = None,
        prices: Mapping[str, float] | None = None,
        artifacts: ArtifactStore | None = None,
        schema_profile: ProfileName | None = None,
    ) -> None:
        self._endpoint = find_endpoint(name, base_url, api_key, load_settings())
        self.name = self._endpoint.name
        self._fields = _request_fields(extra, temperature)
        _check_settings(timeout, max_tokens, prices)
        self._secrets = secrets
        self._client = client
        self._own_client = client is None
        self._timeout = timeout
        self._max_tokens = max_tokens
        self._parallel = parallel
        self._stream = stream
        self._artifacts = artifacts
        self._profile = choose_profile(schema_profile, self._endpoint.origin)
        self._reader = AnswerReader(self._endpoint.url("chat/completions"), dict(prices or {}))
        self._encoder: RequestEncoder | None = None

    def attach(self, *, secrets: SecretStore | None = None, artifacts: ArtifactStore | None = None) -> None:
        """Take the stores of a run where none were given: for the key, and for the images of messages."""
        if self._secrets is None and self._client is None:
            self._secrets = secrets
        if self._artifacts is None and artifacts is not None:
            self._artifacts = artifacts
            self._encoder = None

    async def complete(
        self,
        messages: Sequence[Message],
        tools: Sequence[ToolSpec] = (),
        *,
        avoid: Sequence[ToolCall] = (),
        on_delta: Callable[[str], None] | None = None,
        seed: int | None = None,
        max_tokens: int | None = None,
    ) -> Completion:
        """Return the next assistant message; see `Model.complete`.

        Raises:
            ModelError: The endpoint failed, or its answer cannot be read.
            ConfigError: The key is not set, or no model is named and the endpoint does not serve just one.
        """
        started = time.perf_counter()
        encoder = self._encoder or await self._make_encoder()
        stream = on_delta is not None if self._stream is None else self._stream
        body = encoder.body(
            messages,
            tools,
            avoid=avoid,
            stream=stream,
            seed=seed,
            max_tokens=_smaller(max_tokens, self._max_tokens),
        )
        try:
            payload = await (self._ask_streaming(body, on_delta) if stream else self._ask(body))
            used = {call.id for message in messages for call in message.calls}
            completion = self._reader.read(payload, used, time.perf_counter() - started)
            return restored(completion, tools, self._profile) if completion.calls else completion
        except ModelError as error:
            raise self._redacted(error) from None

    async def list_models(self) -> tuple[str, ...]:
        """Return the names of the models that the endpoint serves.

        Raises:
            ModelError: It failed, or does not say.
        """
        from toolhaft.models.listing import ask_for_models

        return await ask_for_models(self._open_client(), self._endpoint, timeout=min(self._timeout, 30.0))

    async def close(self) -> None:
        """Close the connections, unless they are those of a client that was handed over."""
        if self._own_client and self._client is not None:
            await self._client.close()
            self._client = None

    async def _make_encoder(self) -> RequestEncoder:
        from toolhaft.models.wire import RequestEncoder

        if not self._endpoint.model:
            self._endpoint = self._endpoint.named(await self._find_only_model())
            self.name = self._endpoint.name
        self._encoder = RequestEncoder(
            {"model": self._endpoint.model, **self._fields},
            artifacts=self._artifacts,
            limit_name="max_completion_tokens" if self._endpoint.is_openai else "max_tokens",
            parallel=self._parallel,
            profile=self._profile,
        )
        return self._encoder

    async def _find_only_model(self) -> str:
        names = await self.list_models()
        if len(names) == 1:
            return names[0]
        base = self._endpoint.base_url
        shown = ", ".join(names[:10])
        raise ConfigError(
            f"the endpoint serves {len(names)} models, and none is named",
            where=base,
            hint=f"Name one, as in '{base}#NAME'{': ' + shown if shown else ''}",
        )

    async def _ask(self, body: bytes) -> Any:
        try:
            response = await self._open_client().send(self._request(body, _HEADERS))
        except HTTPError as error:
            raise self._failure(error) from None
        if not 200 <= response.status < 300:
            raise self._refusal(response.status, response.body, response.header("retry-after"))
        return self._reader.parse(response.body, response.media_type)

    async def _ask_streaming(self, body: bytes, on_delta: Callable[[str], None] | None) -> Any:
        try:
            async with self._open_client().stream(self._request(body, _STREAM_HEADERS)) as streamed:
                return await self._read_stream(streamed, on_delta)
        except HTTPError as error:
            raise self._failure(error) from None

    async def _read_stream(self, streamed: StreamedResponse, on_delta: Callable[[str], None] | None) -> Any:
        from toolhaft.models.stream import StreamedAnswer

        if not 200 <= streamed.status < 300:
            raise self._refusal(streamed.status, await streamed.read(), streamed.header("retry-after"))
        media_type = streamed.header("content-type").partition(";")[0].strip().lower()
        answer = StreamedAnswer(self._reader, on_delta)
        if media_type != "text/event-stream":
            # A server that cannot stream answers in one piece; one that can may name the wrong type.
            body = await streamed.read()
            if not body.startswith(_EVENT_BEGINNINGS):
                return self._reader.parse(body, media_type)
            for line in body.decode("utf-8", "replace").split("\n"):
                answer.take(line.rstrip("\r"))
            return answer.finish()
        async for line in streamed.lines():
            answer.take(line)
            if answer.done:
                break
        return answer.finish()

    def _request(self, body: bytes, headers: tuple[tuple[str, str], ...]) -> Request:
        from toolhaft.http.message import Request

        return Request(
            method="POST",
            url=self._reader.where,
            headers=headers,
            body=body,
            effect="read",
            credentials=self._endpoint.credentials(),
            timeout=self._timeout,
            max_bytes=_LARGEST_ANSWER,
        )

    def _open_client(self) -> HTTPClient:
        if self._client is None:
            from toolhaft.models.listing import open_client

            self._client = open_client(self._endpoint, timeout=self._timeout, secrets=self._secrets)
        return self._client

    def _failure(self, error: HTTPError) -> ModelError:
        from toolhaft.models.failure import transport_failure

        return transport_failure(error, self._endpoint, self._reader.where)

    def _refusal(self, status: int, body: bytes, retry_after: str) -> ModelError:
        from toolhaft.models.failure import status_failure

        return status_failure(status, body, self._endpoint, self._reader.where, retry_after=retry_after)

    def _redacted(self, error: ModelError) -> ModelError:
        """Return an error without the key, which some servers repeat."""
        secrets = self._open_client().secrets
        return ModelError(
            secrets.redact(error.what),
            where=secrets.redact(error.where),
            hint=error.hint,
            retryable=error.retryable,
            details=secrets.redact_value(error.details),
        )


def _request_fields(extra: Mapping[str, Any] | None, temperature: float | None) -> dict[str, Any]:
    fields = dict(extra or {})
    for name in _OWN_FIELDS:
        if name in fields:
            raise ConfigError(f"extra may not set {name!r}", hint="Use the model's own settings for it")
    if temperature is not None:
        fields.setdefault("temperature", temperature)
    try:
        from toolhaft.models.wire import dumps

        dumps(fields, "extra")
    except UsageError as error:
        raise ConfigError(f"extra {error.what}", hint="Only JSON values can be sent") from None
    return fields


def _check_settings(timeout: float, max_tokens: int | None, prices: Mapping[str, float] | None) -> None:
    if not timeout > 0:
        raise ConfigError(f"timeout is {timeout}", hint="Give it in seconds, above 0")
    if max_tokens is not None and max_tokens < 1:
        raise ConfigError(f"max_tokens is {max_tokens}", hint="Allow at least 1")
    for name, price in (prices or {}).items():
        if name not in ("input", "output") or not isinstance(price, int | float) or not price >= 0:
            raise ConfigError(
                f"prices has {name!r}: {price!r}",
                hint="Give prices={'input': ..., 'output': ...}, each of a million tokens",
            )


def _smaller(first: int | None, second: int | None) -> int | None:
    given = [limit for limit in (first, second) if limit is not None]
    return min(given, default=None)

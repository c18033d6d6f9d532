"""Carries the calls of generated clients over HTTP, as the operations' own rules say.

So that a test written once runs over both transports. It is also a check: every answer must be the
envelope, whole and in order, with the status that belongs to its code.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, NoReturn, Self, TypeVar, cast

import httpx
import orjson

from pkg.errors import Fault, Violation
from pkg.proto.json_out import JSON_OPTIONS

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, AsyncIterator, Mapping
    from datetime import timedelta
    from types import TracebackType

    from pkg.rpc import Operation
    from pkg.rpc.registry import Registry

RequestT = TypeVar("RequestT")
ReplyT = TypeVar("ReplyT")

_TRACE_ID: Final = re.compile(r"[0-9a-f]{32}")


class HttpChannel:
    """A `pkg.rpc.Channel` to one HTTP server that answers in the profile `envelope`."""

    def __init__(self, base_url: str, registry: Registry) -> None:
        self._registry = registry
        self._client = httpx.AsyncClient(base_url=base_url, timeout=30, trust_env=False)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._client.aclose()

    async def unary_unary(
        self,
        operation: str,
        request: RequestT,
        request_type: type[RequestT],
        reply_type: type[ReplyT],
        *,
        timeout: timedelta | None,  # noqa: ASYNC109 - as Channel says
        headers: Mapping[str, str] | None,
    ) -> ReplyT:
        """One request, one reply."""
        service, _, method = operation.partition("/")
        found = self._registry.operations(service)[method]
        response = await self._client.request(
            found.rules[0].method,
            found.rules[0].template.text,
            timeout=30 if timeout is None else timeout.total_seconds(),
            headers={"content-type": "application/json", **(headers or {})},
            **self._carried(found, request),
        )
        return cast("ReplyT", self._reply(found, self._data(response)))

    async def stream_unary(
        self,
        operation: str,
        requests: AsyncIterable[RequestT],
        request_type: type[RequestT],
        reply_type: type[ReplyT],
        *,
        timeout: timedelta | None,  # noqa: ASYNC109 - as Channel says
        headers: Mapping[str, str] | None,
    ) -> ReplyT:
        """Refused: no operation of ours streams over HTTP."""
        _no_streams(operation)

    def unary_stream(
        self,
        operation: str,
        request: RequestT,
        request_type: type[RequestT],
        reply_type: type[ReplyT],
        *,
        timeout: timedelta | None,
        headers: Mapping[str, str] | None,
    ) -> AsyncIterator[ReplyT]:
        """Refused: no operation of ours streams over HTTP."""
        _no_streams(operation)

    def stream_stream(
        self,
        operation: str,
        requests: AsyncIterable[RequestT],
        request_type: type[RequestT],
        reply_type: type[ReplyT],
        *,
        timeout: timedelta | None,
        headers: Mapping[str, str] | None,
    ) -> AsyncIterator[ReplyT]:
        """Refused: no operation of ours streams over HTTP."""
        _no_streams(operation)

    def _carried(self, operation: Operation, request: object) -> dict[str, Any]:
        rule = operation.rules[0]
        assert not rule.template.variables, "this channel fills in no path variables"
        data = self._registry.json_out.dumper(operation.request)(request)
        if rule.body == "*":
            return {"content": orjson.dumps(data, option=JSON_OPTIONS)}
        assert not rule.body, "this channel sends no part of a message"
        return {"params": {name: value for name, value in data.items() if value}}

    def _reply(self, operation: Operation, data: Any) -> Any:
        part = operation.rules[0].response_body
        descriptor = self._registry.schema.message(operation.response).DESCRIPTOR
        if part:
            data = {descriptor.fields_by_name[part].json_name: data}
        assert list(data) == [field.json_name for field in descriptor.fields], data
        read = self._registry.json_in.loader(operation.response)(data)
        return self._registry.codec.decoder(operation.response)(read.SerializeToString())

    def _data(self, response: httpx.Response) -> Any:
        """What the envelope carries.

        Raises:
            Fault: the refusal that it carries.
        """
        body = response.json()
        assert list(body) == ["code", "msg", "data", "traceID"], body
        assert _TRACE_ID.fullmatch(body["traceID"]), body
        assert response.headers["content-type"] == "application/json"
        if body["code"] == 0:
            assert response.status_code == 200
            return body["data"]
        entry = next(
            each for each in self._registry.catalogue.entries.values() if each.code == body["code"]
        )
        assert response.status_code == entry.http
        text = entry.text[response.headers["content-language"]]
        assert body["msg"] in (text, f"{text}: {body['msg'].partition(': ')[2]}")
        after = response.headers.get("retry-after")
        raise Fault(
            entry.reason,
            body["msg"].partition(": ")[2],
            violations=tuple(
                Violation(each["field"], each["rule"], each["message"])
                for each in body["data"].get("violations", ())
            ),
            metadata={"retry_after": after} if after else {},
        )


def _no_streams(operation: str) -> NoReturn:
    raise TypeError(f"{operation}: streams do not go over HTTP")

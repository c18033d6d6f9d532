"""What is recorded of the work of a process, and where it is sent."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Final, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from pkg.config import Duration, Secret, Settings

_POSITIVE: Final = timedelta(0)
_HEADER: Final = re.compile(r"[a-z0-9!#$%&'*+.^_`|~-]+", re.ASCII)


class TraceSettings(Settings):
    """Tracing. Without an endpoint nothing is recorded; trace ids travel all the same."""

    endpoint: str = ""
    """Of the collector: `http://jaeger:4317` for grpc, `http://jaeger:4318` for http; https for
    TLS. Empty: nothing is recorded."""
    protocol: Literal["grpc", "http"] = "grpc"
    """How OTLP is spoken."""
    ratio: Annotated[float, Field(ge=0, le=1)] = 1.0
    """Share of the traces that begin here which are recorded. One that a caller began is recorded
    if the caller says so."""
    headers: dict[str, Secret] = Field(default_factory=dict)
    """Sent along with every export, such as `authorization`."""
    timeout: Annotated[Duration, Field(gt=_POSITIVE)] = timedelta(seconds=5)
    """For one export, with its tries."""
    interval: Annotated[Duration, Field(gt=_POSITIVE)] = timedelta(seconds=1)
    """How long spans are gathered before they are sent, if they are fewer than a batch."""
    queue: Annotated[int, Field(ge=1, le=100_000)] = 2048
    """Spans that may wait to be sent, those being sent among them; more are dropped and counted."""
    batch: Annotated[int, Field(ge=1, le=10_000)] = 256
    """Spans of one export, at most."""
    flush_timeout: Annotated[Duration, Field(gt=_POSITIVE)] = timedelta(seconds=3)
    """How long the stop waits for what still is to be sent."""
    attributes: dict[str, str] = Field(default_factory=dict)
    """Further attributes of the resource, such as `cloud.region`."""

    @field_validator("endpoint")
    @classmethod
    def _is_an_address(cls, endpoint: str) -> str:
        if endpoint:
            url = urlsplit(endpoint)
            if url.scheme not in ("http", "https") or not url.hostname:
                raise ValueError("an endpoint is http://host:port or https://host:port")
            if url.username is not None or url.query or url.fragment:
                raise ValueError("an endpoint has no user, query or fragment; use headers")
        return endpoint

    @field_validator("headers")
    @classmethod
    def _can_be_sent(cls, headers: dict[str, Secret]) -> dict[str, Secret]:
        for name in headers:
            if not _HEADER.fullmatch(name):
                raise ValueError(f'"{name}" is no name of a header, in lower case')
        return headers

    @model_validator(mode="after")
    def _batch_fits(self) -> Self:
        if self.batch > self.queue:
            raise ValueError("batch is larger than queue")
        return self

    @property
    def url(self) -> str:
        """Where exports go to; over HTTP with the path of OTLP, where the endpoint has none."""
        if self.protocol == "http" and urlsplit(self.endpoint).path in ("", "/"):
            return f"{self.endpoint.rstrip('/')}/v1/traces"
        return self.endpoint

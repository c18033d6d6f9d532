"""A client of Elasticsearch for one event loop, and what its errors mean here."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from elasticsearch import ApiError, AsyncElasticsearch, TransportError

from pkg.search.errors import MissingIndexError, RefusedError, SearchUnavailableError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from datetime import timedelta

    from pkg.search.elastic_settings import ElasticSettings

_PORTS = {"http": 9200, "https": 443}


def open_client(settings: ElasticSettings) -> AsyncElasticsearch:
    """A client that connects when it is first used. Close it with `close()`."""
    options: dict[str, Any] = {}
    if settings.api_key is not None:
        options["api_key"] = settings.api_key.get_secret_value()
    elif settings.password is not None:
        options["basic_auth"] = (settings.username, settings.password.get_secret_value())
    if settings.ca_certs is not None:
        options["ca_certs"] = str(settings.ca_certs)
    return AsyncElasticsearch(
        [_with_port(url) for url in settings.urls],
        connections_per_node=settings.max_connections,
        http_compress=settings.compress,
        max_retries=settings.retries,
        retry_on_timeout=False,
        retry_on_status=(),
        **options,
    )


@asynccontextmanager
async def asking(index: str, within: timedelta) -> AsyncIterator[None]:
    """Around one or more requests for an index, which together end in time.

    Raises:
        SearchUnavailableError: nothing answers in time, or what answers cannot do it now.
        MissingIndexError: there is no such index.
        RefusedError: what was asked for is wrong.
    """
    seconds = within.total_seconds()
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError as error:
        raise SearchUnavailableError(f"no answer within {seconds:g} s") from error
    except TransportError as error:
        raise SearchUnavailableError(f"no answer: {error}") from error
    except ApiError as error:
        raise meaning(index, error.meta.status, error.body) from error


def meaning(
    index: str, status: int, body: Any
) -> SearchUnavailableError | MissingIndexError | RefusedError:
    """What an answer that is an error means."""
    kind, why = reason(body)
    if kind == "index_not_found_exception":
        return MissingIndexError(index)
    if status in (400, 413):
        return RefusedError("", why or "too large")
    return SearchUnavailableError(f"status {status}: {why}")


def reason(body: Any) -> tuple[str, str]:
    """The kind of an error, and what it says with all its causes."""
    error = body.get("error", body) if isinstance(body, dict) else body
    if not isinstance(error, dict):
        return "", str(error)[:1000]
    parts = [str(error.get("reason", ""))]
    causes = error.get("failed_shards") or ()
    inner = error.get("caused_by") or (causes[0].get("reason") if causes else None)
    while isinstance(inner, dict):
        parts.append(str(inner.get("reason", "")))
        inner = inner.get("caused_by")
    return str(error.get("type", "")), ": ".join(filter(None, parts))[:1000]


def _with_port(url: str) -> str:
    """The client wants to be told the port."""
    parts = urlsplit(url)
    if parts.port is not None:
        return url
    return parts._replace(netloc=f"{parts.netloc}:{_PORTS[parts.scheme]}").geturl()

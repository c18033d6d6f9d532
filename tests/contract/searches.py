"""What the suite of `Search` works with: an index like the original's, and documents for it."""
# The annotations below are read at run time, so they are not deferred.

import uuid
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Annotated

from elasticsearch import AsyncElasticsearch

from pkg.search import Index, Keyword, Long, Stored, Text
from pkg.search.elastic_settings import ElasticSettings


class Method(StrEnum):
    GET = "GET"
    POST = "POST"


@dataclass(frozen=True)
class Operation:
    """A document of `operation_record`, the index of who did what."""

    uid: Annotated[str, Keyword(longest=64)]
    agent: Annotated[str | None, Text()] = None
    message: Annotated[str, Text()] = ""
    method: Annotated[Method, Keyword()] = Method.GET
    status: int = 200
    latency: float = 0.5
    slow: bool = False
    date_time: datetime = datetime(2026, 1, 1, tzinfo=UTC)
    ip: Annotated[str | None, Keyword()] = None
    port: Annotated[int | None, Long()] = None
    trace_id: Annotated[str, Keyword(searchable=False, sortable=False)] = ""
    resp_body: Annotated[dict[str, object] | None, Stored()] = None


@dataclass(frozen=True)
class WithHost:
    """The same with a field more, and only those that the tests look at."""

    uid: Annotated[str, Keyword(longest=64)]
    host: Annotated[str | None, Keyword()] = None
    message: Annotated[str, Text()] = ""


@dataclass(frozen=True)
class StatusIsText:
    """The same with a field of another kind."""

    uid: Annotated[str, Keyword(longest=64)]
    status: Annotated[str, Keyword()] = ""


@dataclass(frozen=True)
class LatencyOnly:
    """The same with fewer fields, one of them of another kind that fits."""

    uid: Annotated[str, Keyword(longest=64)]
    status: Annotated[float, "a whole number before"] = 0.0
    message: Annotated[str, Keyword()] = ""


def new_name() -> str:
    """The name of an index that no other test uses."""
    return f"test_{uuid.uuid4().hex}"


def operations(name: str) -> Index[Operation]:
    return Index(name, Operation)


PEOPLE = {
    "a": Operation(
        "alice", agent="Mozilla/5.0 Firefox", message="登录失败: 密码错误", status=401, port=80
    ),
    "b": Operation("bob", agent="curl/8.0", message="登录成功", status=200, latency=1.5),
    "c": Operation(
        "carol", message="Password changed by carol", method=Method.POST, slow=True, ip="192.0.2.1"
    ),
    "d": Operation("dave", agent="Mozilla/5.0 Chrome", message="失败的登录", status=500, port=443),
}
PEOPLE = {
    id_: replace(each, date_time=each.date_time + timedelta(hours=number))
    for number, (id_, each) in enumerate(PEOPLE.items())
}


def settings(url: str) -> ElasticSettings:
    """Those of a node alone that searches soon find what was written."""
    return ElasticSettings(urls=(url,), replicas=0, refresh_interval=timedelta(milliseconds=20))


async def forget(url: str, name: str) -> None:
    """Delete all that a real server knows of an index."""
    async with AsyncElasticsearch(url) as client:
        found = await client.indices.get(index=f"{name}-v*")
        if found.body:
            await client.indices.delete(index=list(found.body))
        await client.options(ignore_status=404).indices.delete_index_template(name=name)

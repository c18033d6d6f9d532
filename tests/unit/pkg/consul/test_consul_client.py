"""What goes to Consul, what comes back, and what goes wrong on the way."""

from __future__ import annotations

import asyncio
import logging
import traceback
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from pydantic import ValidationError

from pkg.config import Secret
from pkg.consul import (
    Answer,
    Check,
    ConsulError,
    ConsulForbiddenError,
    ConsulNotFoundError,
    ConsulRefusedError,
    ConsulSettings,
    ConsulUnavailableError,
    Registration,
    follow,
)
from pkg.consul.blocking import REST, next_index
from pkg.consul.client import ConsulClient
from tests.contract.fake_consul import FakeConsul

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@pytest.fixture
def consul() -> FakeConsul:
    return FakeConsul()


@pytest.fixture
async def client(consul: FakeConsul) -> AsyncIterator[ConsulClient]:
    async with ConsulClient(ConsulSettings(), transport=consul) as made:
        yield made


def service(**changes: Any) -> Registration:
    known: dict[str, Any] = {"id": "shop-1", "name": "shop", "address": "10.0.0.1", "port": 9000}
    return Registration(**known | {"checks": (ttl("shop-1:ttl"),)} | changes)


def ttl(check: str) -> Check:
    return Check(id=check, ttl=timedelta(seconds=15))


async def test_a_value_is_read_as_it_was_written(client: ConsulClient) -> None:
    for value in (b"", b"a: 1\n", "密码".encode()):
        await client.put("config/a b/ü.yaml", value)
        assert (await client.kv("config/a b/ü.yaml")).value == value


async def test_a_key_that_is_not_there_is_none_and_has_an_index(client: ConsulClient) -> None:
    answer = await client.kv("none")

    assert answer == Answer(None, 10)


async def test_a_key_that_is_deleted_is_gone(client: ConsulClient) -> None:
    await client.put("a", b"1")
    await client.delete("a")
    await client.delete("a")

    assert (await client.kv("a")).value is None


async def test_a_held_query_is_answered_by_a_change(
    client: ConsulClient, consul: FakeConsul
) -> None:
    await consul.put("a", "1")
    first = await client.kv("a")
    asking = asyncio.create_task(client.kv("a", index=first.index))
    await consul.wait_until_held()
    await consul.put("a", "2")

    assert (await asking).value == b"2"
    assert consul.requests[-1].url.params["wait"] == "30000ms"


async def test_a_service_is_registered_found_and_removed(
    client: ConsulClient, consul: FakeConsul
) -> None:
    await client.register(service(tags=("a",), meta={"version": "1"}, weight=3))
    assert await client.registered("shop-1")
    await client.renew("shop-1:ttl", "warning", "busy")
    assert (await client.healthy("shop")).value == ()

    await client.renew("shop-1:ttl", "passing", "well")
    (found,) = (await client.healthy("shop")).value
    assert (found.address, found.port, found.tags, found.weight) == ("10.0.0.1", 9000, ("a",), 3)
    assert found.meta == {"version": "1"}

    await client.deregister("shop-1")
    assert not await client.registered("shop-1")
    assert (await client.healthy("shop")).value == ()


async def test_a_service_without_an_address_has_that_of_its_node(client: ConsulClient) -> None:
    await client.register(service(address="", checks=()))

    assert (await client.healthy("shop")).value[0].address == "192.0.2.1"


async def test_instances_are_in_the_order_of_their_ids(client: ConsulClient) -> None:
    for each in ("b", "c", "a"):
        await client.register(service(id=each, checks=()))

    assert [found.id for found in (await client.healthy("shop")).value] == ["a", "b", "c"]


def test_checks_are_said_as_consul_reads_them() -> None:
    assert (ttl("t").payload()["TTL"], ttl("t").payload()["Status"]) == ("15000ms", "passing")
    web = Check(id="w", http="http://10.0.0.1/readyz", interval=timedelta(seconds=5)).payload()
    assert (web["HTTP"], web["Interval"], web["Timeout"]) == (
        "http://10.0.0.1/readyz",
        "5000ms",
        "2000ms",
    )
    assert Check(id="g", grpc="10.0.0.1:9000").payload()["GRPC"] == "10.0.0.1:9000"
    assert web["DeregisterCriticalServiceAfter"] == "60000ms"


async def test_what_the_agent_does_not_know_is_not_found(client: ConsulClient) -> None:
    with pytest.raises(ConsulNotFoundError, match="404 Unknown check ID"):
        await client.renew("nobody", "passing")
    with pytest.raises(ConsulNotFoundError, match="404 Unknown service ID"):
        await client.deregister("nobody")


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, ConsulRefusedError),
        (403, ConsulForbiddenError),
        (401, ConsulForbiddenError),
        (429, ConsulUnavailableError),
        (500, ConsulUnavailableError),
        (503, ConsulUnavailableError),
        (302, ConsulRefusedError),
    ],
)
async def test_a_status_is_an_error_of_its_kind(
    client: ConsulClient, consul: FakeConsul, status: int, error: type[ConsulError]
) -> None:
    consul.answer = httpx.Response(
        status, text="No cluster\nleader " + "x" * 999, headers={"location": "http://127.0.0.2"}
    )
    with pytest.raises(error, match=f"127.0.0.1:8500, /v1/kv/a: {status} No cluster leader") as e:
        await client.kv("a")
    assert len(str(e.value)) < 300
    assert len(consul.requests) == 1


@pytest.mark.parametrize("body", [b"", b"<html>", b"{}", b"[]", b'[{"Value": 1}]', b"[null]"])
async def test_an_answer_that_makes_no_sense_is_refused(
    client: ConsulClient, consul: FakeConsul, body: bytes
) -> None:
    consul.answer = httpx.Response(200, content=body)
    with pytest.raises(ConsulRefusedError):
        await client.kv("a")


@pytest.mark.parametrize("body", [b"{", b'[{"Service": {}}]', b"7", b"[7]"])
async def test_instances_that_make_no_sense_are_refused(
    client: ConsulClient, consul: FakeConsul, body: bytes
) -> None:
    consul.answer = httpx.Response(200, content=body)
    with pytest.raises(ConsulRefusedError):
        await client.healthy("shop")


async def test_a_consul_that_is_away_is_unavailable(
    client: ConsulClient, consul: FakeConsul
) -> None:
    consul.down = True
    with pytest.raises(ConsulUnavailableError, match="8500, /v1/kv/a: connection refused"):
        await client.kv("a")


async def test_a_consul_that_hangs_is_unavailable_in_time(consul: FakeConsul) -> None:
    consul.frozen = True
    settings = ConsulSettings(timeout=timedelta(milliseconds=20))
    async with ConsulClient(settings, transport=consul) as client:
        with pytest.raises(ConsulUnavailableError, match=r"no answer in 0\.02 s"):
            await client.kv("a")


async def test_the_token_is_sent_and_never_shown(
    consul: FakeConsul, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    consul.token = "open-sesame"
    async with ConsulClient(
        ConsulSettings(token=Secret("open-sesame")), transport=consul
    ) as client:
        await client.put("a", b"1")
    wrong = ConsulSettings(token=Secret("wrong-sesame"))
    async with ConsulClient(wrong, transport=consul) as client:
        with pytest.raises(ConsulForbiddenError) as refused:
            await client.kv("a")
    told = "".join(traceback.format_exception(refused.value))
    for text in (told, caplog.text, repr(wrong), str(consul.requests)):
        assert "sesame" not in text


async def test_no_token_is_no_header(client: ConsulClient, consul: FakeConsul) -> None:
    await client.kv("a")

    assert "x-consul-token" not in consul.requests[0].headers


@pytest.mark.parametrize(
    "url",
    ["", "consul", "ftp://c:1", "http://", "http://me:pw@c:8500", "http://c/ui", "http://c?dc=x"],
)
def test_an_url_that_cannot_be_is_refused(url: str) -> None:
    with pytest.raises(ValidationError, match="URL"):
        ConsulSettings(url=url)


@pytest.mark.parametrize(
    ("last", "told", "asked_next"), [(0, 5, 5), (5, 5, 5), (5, 9, 9), (9, 5, 0), (5, 0, 1)]
)
def test_an_index_that_goes_back_begins_anew(last: int, told: int, asked_next: int) -> None:
    assert next_index(last, told) == asked_next


async def test_following_asks_with_the_last_index_and_rests_in_between() -> None:
    asked: list[int] = []
    rests: list[timedelta] = []
    told = iter([7, 9, 3, 3])

    async def ask(index: int) -> Answer[int]:
        asked.append(index)
        if len(asked) > 4:
            raise ConsulUnavailableError("gone")
        return Answer(len(asked), next(told))

    async def rest(time: timedelta) -> None:
        rests.append(time)

    heard: list[int] = []

    async def hear() -> None:
        async for value in follow(ask, pause=rest):
            heard.append(value)  # noqa: PERF401 - what came before the error is looked at

    with pytest.raises(ConsulUnavailableError):
        await hear()
    assert (heard, asked) == ([1, 2, 3, 4], [0, 7, 9, 0, 3])
    assert rests == [REST] * 4

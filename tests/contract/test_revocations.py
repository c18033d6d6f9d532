"""What every store of revocations does."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from pkg.errors import Fault
from pkg.jwt import MemoryRevocations, RedisRevocations, Revocations
from pkg.redis import RedisSettings, open_redis

if TYPE_CHECKING:
    from pathlib import Path

    from tests.contract.servers import Backend

TTL = timedelta(minutes=15)
MOMENT = timedelta(seconds=1)


@pytest.fixture
def revocations(backend: Backend) -> Revocations:
    if backend.redis is None:
        return MemoryRevocations(backend.clock)
    return RedisRevocations(backend.redis, backend.prefix + "jwt")


async def good(
    store: Revocations, session: str = "s", subject: str = "u", version: int = 1
) -> bool:
    try:
        await store.check(session, subject, version)
    except Fault as fault:
        if fault.reason != "UNAUTHENTICATED":
            raise
        return False
    return True


async def test_what_was_never_revoked_is_good(revocations: Revocations) -> None:
    assert await good(revocations)
    assert await good(revocations, version=0)


async def test_an_ended_session_is_refused_and_others_go_on(revocations: Revocations) -> None:
    await revocations.end_session("s", TTL)

    assert not await good(revocations, "s")
    assert await good(revocations, "other")


async def test_a_raised_version_refuses_the_older_tokens_of_that_subject(
    revocations: Revocations,
) -> None:
    await revocations.raise_version("u", 3, TTL)

    assert not await good(revocations, version=2)
    assert await good(revocations, version=3)
    assert await good(revocations, subject="other", version=1)


async def test_a_version_never_sinks(revocations: Revocations) -> None:
    await revocations.raise_version("u", 3, TTL)
    await revocations.raise_version("u", 2, TTL)

    assert not await good(revocations, version=2)


async def test_large_versions_are_kept_exactly(revocations: Revocations) -> None:
    await revocations.raise_version("u", 2**50 + 1, TTL)

    assert not await good(revocations, version=2**50)
    assert await good(revocations, version=2**50 + 1)


async def test_revocations_are_forgotten_when_no_token_can_be_good_any_more(
    revocations: Revocations, backend: Backend
) -> None:
    await revocations.end_session("s", TTL)
    await revocations.raise_version("u", 3, TTL)

    await backend.advance(TTL - MOMENT)
    assert not await good(revocations, "s")
    assert not await good(revocations, version=2)

    await backend.advance(2 * MOMENT)
    assert await good(revocations, "s", version=2)


async def test_a_shorter_time_never_replaces_a_longer_one(
    revocations: Revocations, backend: Backend
) -> None:
    await revocations.end_session("s", TTL)
    await revocations.end_session("s", MOMENT)
    await revocations.raise_version("u", 3, TTL)
    await revocations.raise_version("u", 4, MOMENT)

    await backend.advance(TTL / 2)

    assert not await good(revocations, "s")
    assert not await good(revocations, version=3)


async def test_the_time_can_be_extended(revocations: Revocations, backend: Backend) -> None:
    await revocations.end_session("s", MOMENT)
    await revocations.end_session("s", TTL)

    await backend.advance(TTL / 2)

    assert not await good(revocations, "s")


async def test_without_its_server_every_token_is_in_doubt(tmp_path: Path) -> None:
    client = open_redis(RedisSettings(retries=0), f"unix://{tmp_path}/nobody.sock")
    revocations = RedisRevocations(client)

    with pytest.raises(Fault, match="UNAVAILABLE"):
        await revocations.check("s", "u", 1)
    with pytest.raises(Fault, match="UNAVAILABLE"):
        await revocations.end_session("s", TTL)
    with pytest.raises(Fault, match="UNAVAILABLE"):
        await revocations.raise_version("u", 1, TTL)
    await client.aclose()

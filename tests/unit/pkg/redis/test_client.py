"""A client never waits long for a server that is not there."""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import ValidationError

from pkg.config import Secret
from pkg.errors import Fault
from pkg.redis import RedisClient, RedisError, RedisSettings, open_redis, unavailable
from tests.unit.pkg.patient import PATIENT

if TYPE_CHECKING:
    from pathlib import Path

BRIEF = RedisSettings(timeout=timedelta(milliseconds=50), connect_timeout=timedelta(seconds=1))


async def test_a_server_that_is_not_there_is_an_error_at_once(tmp_path: Path) -> None:
    client: Any = open_redis(PATIENT, f"unix://{tmp_path}/none.sock")
    began = time.monotonic()

    with pytest.raises(RedisError):
        await client.get("a")

    assert time.monotonic() - began < PATIENT.timeout.total_seconds() / 2
    await client.aclose()


async def test_a_server_that_does_not_answer_is_an_error_in_time(tmp_path: Path) -> None:
    handlers: set[asyncio.Task[None]] = set()

    async def deaf(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        handlers.add(task)
        while await reader.read(100):
            pass
        writer.close()
        await writer.wait_closed()

    path = tmp_path / "deaf.sock"
    server = await asyncio.start_unix_server(deaf, path)
    client = RedisClient(BRIEF, f"unix://{path}", "sessions")
    began = time.monotonic()

    with pytest.raises(RedisError):
        await client.start()

    assert time.monotonic() - began < PATIENT.timeout.total_seconds() / 2
    assert client.name == "sessions"
    server.close()
    await asyncio.wait(handlers)


@pytest.mark.parametrize("error", [RedisError("gone"), ConnectionResetError()])
def test_what_fails_on_the_way_to_redis_is_unavailable(error: Exception) -> None:
    with pytest.raises(Fault, match="UNAVAILABLE") as caught, unavailable():
        raise error

    assert caught.value.__cause__ is error


def test_other_errors_stay_what_they_are() -> None:
    with pytest.raises(KeyError), unavailable():
        raise KeyError


def test_a_url_must_be_one_of_redis_and_is_not_shown() -> None:
    settings = RedisSettings(url=Secret("redis://user:hunter2@127.0.0.1/0"))
    assert "hunter2" not in repr(settings)

    with pytest.raises(ValidationError) as caught:
        RedisSettings.model_validate({"url": "http://user:hunter2@127.0.0.1"})
    assert "hunter2" not in str(caught.value)

"""The embedded server lives as long as its process, keeps what it is told, leaves nothing."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pkg.redis import EmbeddedError, EmbeddedValkey, RedisClient, child, open_redis
from tests.unit.pkg.patient import PATIENT

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[EmbeddedValkey]:
    made = EmbeddedValkey(tmp_path / "valkey")
    await made.start()
    yield made
    await made.stop()


async def ask(url: str, *command: Any) -> Any:
    client: Any = open_redis(PATIENT, url)
    try:
        return await client.execute_command(*command)
    finally:
        await client.aclose()


async def test_clients_of_several_loops_share_one_server(server: EmbeddedValkey) -> None:
    await ask(server.url, "SET", "a", "from one loop")
    answers: list[bytes] = []

    other = threading.Thread(
        target=lambda: answers.append(asyncio.run(ask(server.url, "GET", "a")))
    )
    other.start()
    await asyncio.to_thread(other.join)

    assert answers == [b"from one loop"]


async def test_what_was_told_survives_a_restart(tmp_path: Path) -> None:
    for command, answer in ((("SET", "a", "kept"), b"OK"), (("GET", "a"), b"kept")):
        server = EmbeddedValkey(tmp_path)
        await server.start()
        assert await ask(server.url, *command) in (answer, True)
        await server.stop()


async def test_its_socket_is_for_its_user_alone(server: EmbeddedValkey) -> None:
    found = await asyncio.to_thread(Path(server.url.removeprefix("unix://")).stat)

    assert found.st_mode & 0o077 == 0


async def test_it_is_well_while_it_runs(server: EmbeddedValkey) -> None:
    await server.check()
    await server.stop()

    with pytest.raises(EmbeddedError, match="not running"):
        await server.check()
    await server.stop()


async def test_a_server_that_ended_by_itself_is_noticed_and_made_anew(
    server: EmbeddedValkey, tmp_path: Path
) -> None:
    pid = (await ask(server.url, "INFO", "server"))["process_id"]
    os.kill(pid, signal.SIGKILL)

    async with asyncio.timeout(30):
        while True:
            try:
                await server.check()
            except EmbeddedError:
                break
            await asyncio.sleep(0.01)

    await server.stop()
    await server.start()
    await server.check()


async def test_one_directory_has_one_server(server: EmbeddedValkey, tmp_path: Path) -> None:
    second = EmbeddedValkey(tmp_path / "valkey", start_timeout=0.05)

    with pytest.raises(EmbeddedError, match="in use by another process"):
        await second.start()

    await server.check()


async def test_a_path_too_long_for_a_socket_is_no_hindrance(tmp_path: Path) -> None:
    server = EmbeddedValkey(tmp_path / ("d" * 120))
    await server.start()

    assert await ask(server.url, "PING")
    assert len(server.url) < 100
    await server.stop()
    assert not await asyncio.to_thread(Path(server.url.removeprefix("unix://")).parent.exists)


async def test_a_server_that_does_not_start_shows_its_log(tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    broken.write_text("#!/bin/sh\necho cannot allocate\nexit 3\n")
    broken.chmod(0o700)

    with pytest.raises(EmbeddedError, match="cannot allocate"):
        await EmbeddedValkey(tmp_path / "data", binary=broken).start()


async def test_a_server_that_never_answers_is_given_up_and_killed(tmp_path: Path) -> None:
    deaf = tmp_path / "deaf"
    deaf.write_text("#!/bin/sh\ntrap '' TERM\nwhile :; do sleep 0.05; done\n")
    deaf.chmod(0o700)
    server = EmbeddedValkey(tmp_path / "data", binary=deaf, start_timeout=0.3, stop_timeout=0.1)

    with pytest.raises(EmbeddedError, match=r"does not answer after 0\.3 s"):
        await server.start()

    # It held the directory as long as it lived.
    successor = EmbeddedValkey(tmp_path / "data")
    await successor.start()
    await successor.stop()


HOST = """
import asyncio, sys
from pathlib import Path
from pkg.redis import EmbeddedValkey, child

async def main():
    server = EmbeddedValkey(Path(sys.argv[1]))
    await server.start()
    print(server.url, flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


async def test_it_ends_with_a_process_that_is_killed_and_the_next_takes_over(
    tmp_path: Path,
) -> None:
    host = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        HOST,
        str(tmp_path),
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert host.stdout is not None
    url = (await host.stdout.readline()).decode().strip()
    await ask(url, "SET", "a", "left behind")
    host.kill()
    await host.wait()

    server = EmbeddedValkey(tmp_path)
    await server.start()  # the old server has let go of the directory: it is gone

    assert await ask(server.url, "GET", "a") == b"left behind"
    await server.stop()


async def test_a_client_starts_only_if_the_server_answers(server: EmbeddedValkey) -> None:
    client = RedisClient(PATIENT, server.url)

    assert client.name == "redis"
    await client.start()
    await client.check()
    await client.stop()


def test_a_directory_that_others_may_read_is_not_ones_own(tmp_path: Path) -> None:
    open_to_all = tmp_path / "open"
    open_to_all.mkdir()
    open_to_all.chmod(0o755)
    link = tmp_path / "link"
    link.symlink_to(tmp_path)

    assert child.own(tmp_path / "mine")
    assert child.own(tmp_path / "mine")
    assert not child.own(open_to_all)
    assert not child.own(link)

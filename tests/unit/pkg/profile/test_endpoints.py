"""Profiles over the admin port."""

from __future__ import annotations

import asyncio
import threading
import tracemalloc
from datetime import timedelta
from typing import TYPE_CHECKING

import httpx
import pytest
from prometheus_client import CollectorRegistry

from pkg.admin import AdminApp
from pkg.app import Health
from pkg.clock import FakeClock
from pkg.profile import Pprof, ProfileSettings, Sampler
from tests.unit.pkg.profile.reader import decoded, samples

if TYPE_CHECKING:
    from collections.abc import Iterator


class Desk:
    """An admin application with profiles."""

    def __init__(self, settings: ProfileSettings | None = None) -> None:
        self.clock = FakeClock()
        self.sampler = Sampler()
        pprof = Pprof(settings or ProfileSettings(), self.sampler, self.clock)
        self.app = AdminApp(
            health=Health([], clock=self.clock),
            registry=CollectorRegistry(),
            config=dict,
            endpoints=pprof.endpoints(),
        )

    async def ask(self, path: str) -> httpx.Response:
        transport = httpx.ASGITransport(self.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://admin") as client:
            return await client.get(f"/debug/pprof/{path}")

    async def taking(self) -> None:
        """Return when a profile is being taken."""
        async with asyncio.timeout(10):
            while "in Sampler.run\n" not in (await self.ask("threads")).text:
                pass


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def tracing() -> Iterator[None]:
    tracemalloc.start(8)
    yield
    tracemalloc.stop()


async def test_the_index_names_what_there_is(desk: Desk) -> None:
    answer = await desk.ask("")

    assert answer.status_code == 200
    for path in ("profile", "heap", "threads"):
        assert f"/debug/pprof/{path}" in answer.text
        assert (await desk.ask(f"{path}?seconds=0.01")).status_code in (200, 501)


async def test_a_cpu_profile_takes_the_time_that_is_asked_for(desk: Desk) -> None:
    answer = await desk.ask("profile?seconds=0.2&hz=50")

    message = decoded(answer.content)
    assert answer.headers["content-type"] == "application/octet-stream"
    assert 0.2e9 <= message.duration_nanos < 10e9
    assert message.period == 20_000_000
    assert any(each.labels["thread"] == "MainThread" for each in samples(answer.content))


@pytest.mark.parametrize(
    "query",
    ["seconds=x", "seconds=0", "seconds=-1", "seconds=61", "seconds=nan", "hz=0", "hz=251", "hz=a"],
)
async def test_what_is_out_of_bounds_is_refused_with_the_bounds(desk: Desk, query: str) -> None:
    answer = await desk.ask(f"profile?{query}")

    assert answer.status_code == 400
    assert "seconds" in answer.text


async def test_the_bound_is_that_of_the_settings() -> None:
    desk = Desk(ProfileSettings(longest=timedelta(milliseconds=50)))

    assert (await desk.ask("profile")).status_code == 200
    assert (await desk.ask("profile?seconds=0.06")).status_code == 400


async def test_a_second_profile_at_the_same_time_is_refused(desk: Desk) -> None:
    first = asyncio.create_task(desk.ask("profile?seconds=60"))
    await desk.taking()

    second = await desk.ask("profile?seconds=0.001")

    assert second.status_code == 409
    assert "another profile is being taken" in second.text
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first


async def test_a_profile_that_nobody_waits_for_ends(desk: Desk) -> None:
    asked = asyncio.create_task(desk.ask("profile?seconds=60"))
    await desk.taking()

    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked

    async with asyncio.timeout(10):
        while (await desk.ask("profile?seconds=0.001")).status_code == 409:
            pass


async def test_memory_says_how_to_turn_tracing_on(desk: Desk) -> None:
    if tracemalloc.is_tracing():
        pytest.skip("tracemalloc is on for this run")

    answer = await desk.ask("heap")

    assert answer.status_code == 501
    assert "profile.heapFrames" in answer.text


@pytest.mark.usefixtures("tracing")
async def test_memory_is_shown_by_where_it_was_allocated(desk: Desk) -> None:
    held = [bytearray(100_000) for _ in range(20)]

    answer = await desk.ask("heap")

    message, found = decoded(answer.content), samples(answer.content)
    largest = max(found, key=lambda each: each.values["inuse_space"])
    assert largest.stack[0][0].startswith("profile/test_endpoints.py:")
    assert largest.values["inuse_space"] > 2_000_000
    assert largest.values["inuse_objects"] >= len(held)
    assert message.string_table[message.default_sample_type] == "inuse_space"
    assert message.time_nanos == int(desk.clock.time() * 1e9)


async def test_threads_are_shown_as_text(desk: Desk) -> None:
    over = threading.Event()
    thread = threading.Thread(target=over.wait, name="the-one-that-waits")
    thread.start()

    answer = await desk.ask("threads")

    over.set()
    thread.join()
    assert answer.headers["content-type"].startswith("text/plain")
    assert "the-one-that-waits" in answer.text


async def test_without_profiles_there_are_no_paths() -> None:
    desk = Desk(ProfileSettings(enabled=False))

    assert (await desk.ask("")).status_code == 404

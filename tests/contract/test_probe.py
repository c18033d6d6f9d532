"""What every probe does."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from pkg.holmes import FakeProbe, Kind, Loops, Probe, ProcessProbe
from pkg.holmes.garbage import Collections

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

ADAPTERS = {
    "fake": {Kind.CPU, Kind.LAG},
    "loops": {Kind.LAG},
    "process": set(Kind) - {Kind.LAG},
}
"""What each can tell."""


@pytest.fixture(params=ADAPTERS)
async def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
async def probe(kind: str) -> AsyncIterator[Probe]:
    loops = Loops()
    with loops.watched("main"):
        if kind == "fake":
            yield FakeProbe({Kind.CPU: 12.5, Kind.LAG: 3})
        elif kind == "loops":
            yield loops
        else:
            yield ProcessProbe(loops, Collections())


async def test_readings_are_of_the_kinds_that_it_can_tell(kind: str, probe: Probe) -> None:
    probe.read()
    await asyncio.sleep(0.01)

    assert set(probe.read()) <= ADAPTERS[kind]
    assert set(probe.read())


async def test_readings_are_numbers_from_zero_on(probe: Probe) -> None:
    probe.read()

    assert all(value >= 0 for value in probe.read().values())


async def test_a_reading_stays_as_it_was_when_the_next_is_taken(probe: Probe) -> None:
    first = probe.read()
    before = dict(first)
    await asyncio.to_thread(probe.read)

    assert first == before


async def test_it_can_be_read_by_another_thread(kind: str, probe: Probe) -> None:
    assert set(await asyncio.to_thread(probe.read)) <= ADAPTERS[kind]

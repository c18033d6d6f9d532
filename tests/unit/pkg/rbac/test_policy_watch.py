"""An engine follows the policies through outages, and tells of them once."""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from pkg.rbac import MemoryNotifier, PolicyAnnouncer, PolicyWatch, StalePoliciesError
from tests.unit.pkg.rbac.sources import Source, engine_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from pkg.rbac import PolicyNotifier, Rule

RULE: Rule = ("user", "/a", "GET")
POLL = timedelta(seconds=1)


class Pauses:
    """Time that passes when the test says so."""

    def __init__(self) -> None:
        self.asked: list[timedelta] = []
        self._waiting: list[asyncio.Event] = []

    async def __call__(self, time: timedelta) -> None:
        self.asked.append(time)
        event = asyncio.Event()
        self._waiting.append(event)
        await event.wait()

    async def over(self) -> None:
        """End all pauses, and let what follows run until it pauses again."""
        waiting, self._waiting = self._waiting, []
        for event in waiting:
            event.set()
        await settle()


async def settle() -> None:
    for _ in range(50):
        await asyncio.sleep(0)


class Silence:
    """A notifier whose server is not there."""

    async def publish(self, version: int) -> None:
        raise ConnectionError("no server")

    @asynccontextmanager
    async def subscribe(self) -> AsyncIterator[AsyncIterator[int]]:
        raise ConnectionError("no server")
        yield


class Ending:
    """A notifier whose subscriptions end at once."""

    async def publish(self, version: int) -> None: ...

    @asynccontextmanager
    async def subscribe(self) -> AsyncIterator[AsyncIterator[int]]:
        async def nothing() -> AsyncIterator[int]:
            for version in tuple[int, ...]():
                yield version

        yield nothing()


class World:
    """A watch over one source."""

    def __init__(self, notifier: PolicyNotifier | None = None) -> None:
        self.source = Source()
        self.engine = engine_of(self.source)
        self.notifier = notifier or MemoryNotifier()
        self.pauses = Pauses()
        self.watch = PolicyWatch(
            self.engine, self.notifier, self.source.version, poll=POLL, pause=self.pauses
        )

    async def __aenter__(self) -> World:
        await self.watch.start()
        await settle()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.watch.stop()


async def test_it_starts_with_the_policies_loaded_and_is_well() -> None:
    async with World() as world:
        assert world.engine.version == 1
        assert world.watch.name == "policies"
        await world.watch.check()


async def test_a_start_without_policies_fails() -> None:
    world = World()
    world.source.error = OSError("no database")

    with pytest.raises(OSError, match="no database"):
        await world.watch.start()
    with pytest.raises(StalePoliciesError):
        await world.watch.check()


async def test_a_notification_is_followed_without_polling() -> None:
    async with World() as world:
        await world.notifier.publish(world.source.change(RULE))
        await settle()

        assert world.engine.allowed(*RULE)


async def test_a_notification_of_what_is_known_loads_nothing() -> None:
    async with World() as world:
        await world.notifier.publish(1)
        await settle()

        assert world.source.loads == 1


@pytest.mark.parametrize("notifier", [Silence(), Ending()])
async def test_a_change_that_is_not_heard_of_is_found_by_polling(
    notifier: PolicyNotifier, caplog: pytest.LogCaptureFixture
) -> None:
    async with World(notifier) as world:
        world.source.change(RULE)
        await world.pauses.over()
        await world.pauses.over()

        assert world.engine.allowed(*RULE)

    told = [each for each in caplog.records if "found by polling only" in each.getMessage()]
    assert told
    assert world.pauses.asked[0] == POLL


async def test_an_outage_of_the_database_is_told_once_and_survived(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    async with World() as world:
        world.source.error = OSError("database gone")
        for _ in range(6):
            await world.pauses.over()
        asked = [pause.total_seconds() for pause in world.pauses.asked]

        world.source.error = None
        world.source.change(RULE)
        await world.pauses.over()

        assert world.engine.allowed(*RULE)
        assert asked == [1, 1, 2, 4, 8, 10, 10]
    messages = [each.getMessage() for each in caplog.records]
    assert len([each for each in messages if each.startswith("the policies cannot be")]) == 1
    assert len([each for each in messages if each.startswith("over after 6")]) == 1


async def test_after_its_stop_nothing_is_followed() -> None:
    async with World() as world:
        pass
    world.source.change(RULE)
    await world.notifier.publish(2)
    await world.pauses.over()

    assert world.source.loads == 1
    await world.watch.stop()


async def test_who_announces_decides_by_the_change_at_once() -> None:
    world = World()
    await world.engine.reload()

    await PolicyAnnouncer(world.engine, world.notifier).policy_changed(world.source.change(RULE))

    assert world.engine.allowed(*RULE)


async def test_an_announcement_of_what_is_loaded_loads_nothing() -> None:
    world = World()
    await world.engine.reload()

    await PolicyAnnouncer(world.engine, world.notifier).policy_changed(1)

    assert world.source.loads == 1


async def test_an_announcement_that_fails_is_logged_and_not_raised(
    caplog: pytest.LogCaptureFixture,
) -> None:
    world = World(Silence())
    world.source.error = OSError("database gone")

    await PolicyAnnouncer(world.engine, world.notifier).policy_changed(2)

    assert "could not be loaded yet" in caplog.text
    assert "could not be announced" in caplog.text

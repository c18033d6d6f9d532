"""Reading and changing one's layout."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from internal.user.biz import Setting, SettingUsecase
from tests.unit.internal.user.fakes import FakeTransactions
from tests.unit.internal.user.world import ALICE, World, actor, refused, small_world

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.unit.internal.user.fakes import FakeUnitOfWork

NOBODY = actor("gone-uid", "user")


@pytest.fixture
async def world() -> World:
    return await small_world()


async def test_who_has_set_nothing_gets_the_defaults_from_now_on(world: World) -> None:
    usecase = SettingUsecase(transactions=world.transactions)
    first = await usecase.get(ALICE)

    assert first == replace(Setting("alice-uid"), id=first.id)
    assert await usecase.get(ALICE) == first


async def test_a_setting_is_written_whether_there_was_one_or_not(world: World) -> None:
    usecase = SettingUsecase(transactions=world.transactions)
    await usecase.update(ALICE, Setting("alice-uid", lang="en"))
    assert (await usecase.get(ALICE)).lang == "en"

    await usecase.update(ALICE, Setting("alice-uid", lang="zh", collapse=True))
    assert (await usecase.get(ALICE)).collapse


async def test_whose_setting_it_is_the_token_says(world: World) -> None:
    usecase = SettingUsecase(transactions=world.transactions)
    await usecase.update(ALICE, Setting("admin-uid", lang="en"))

    assert list(world.transactions.state.settings) == ["alice-uid"]


async def test_who_is_gone_has_no_setting(world: World) -> None:
    usecase = SettingUsecase(transactions=world.transactions)
    with refused("SETTING_QUERY_FAILED"):
        await usecase.get(NOBODY)
    with refused("SETTING_UPDATE_FAILED"):
        await usecase.update(NOBODY, Setting("gone-uid"))


class Rivals(FakeTransactions):
    """Has another request of the same user come first, once."""

    def __init__(self, world: World) -> None:
        super().__init__(world.clock)
        self.state = world.transactions.state
        self._pending = True

    @asynccontextmanager
    async def writing(self, by: str) -> AsyncIterator[FakeUnitOfWork]:
        async with super().writing(by) as work:
            if self._pending:
                self._pending = False
                self.state.settings[by] = Setting(by, lang="first", id=99)
                raise work.taken("setting.uid")
            yield work


async def test_of_two_first_readers_both_get_the_same(world: World) -> None:
    assert (await SettingUsecase(transactions=Rivals(world)).get(ALICE)).id == 99


async def test_of_two_first_writers_the_second_wins(world: World) -> None:
    rivals = Rivals(world)
    await SettingUsecase(transactions=rivals).update(ALICE, Setting("alice-uid", lang="second"))

    assert rivals.state.settings["alice-uid"].lang == "second"


async def test_readers_at_the_same_time_make_one_setting(world: World) -> None:
    usecase = SettingUsecase(transactions=world.transactions)
    found = await asyncio.gather(*(usecase.get(ALICE) for _ in range(5)))

    assert len({setting.id for setting in found}) == 1

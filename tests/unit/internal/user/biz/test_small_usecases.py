"""The probe, the dictionary, captchas, identifiers, and what entities refuse to be."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from internal.user.biz import (
    Actor,
    CaptchaUsecase,
    DictInfo,
    DictionaryUsecase,
    ProbeUsecase,
    RefreshToken,
    Role,
    Setting,
    User,
)
from internal.user.biz.identifiers import new_password, new_secret, new_uid
from pkg.errors import Fault
from pkg.tokens import FakeTokens
from tests.unit.internal.user.ports import FakeDictionary
from tests.unit.internal.user.world import ALICE, World, actor, refused, small_world

if TYPE_CHECKING:
    from collections.abc import Callable

    from internal.user.biz import Challenge

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
async def world() -> World:
    return await small_world()


async def test_the_probe_reads_back_what_it_wrote(world: World) -> None:
    record = await ProbeUsecase(transactions=world.transactions).run(ALICE, "hello, world")

    assert (record.uid, record.user_name, record.text) == ("alice-uid", "alice", "hello, world")
    assert (record.create_user, record.create_at) == ("alice-uid", world.clock.now())
    assert world.transactions.state.perf == {record.id: record}


async def test_nobody_probes_who_is_gone(world: World) -> None:
    with refused("PERF_FAILED"):
        await ProbeUsecase(transactions=world.transactions).run(actor("gone-uid"), "hello")


async def test_the_dictionary_is_read_from_where_it_is() -> None:
    info = DictInfo("dict.yaml", lang=("zh",))
    assert await DictionaryUsecase(dictionary=FakeDictionary(info)).get() is info


async def test_a_dictionary_that_was_never_read_is_unavailable() -> None:
    with refused("DICT_QUERY_FAILED"):
        await DictionaryUsecase(dictionary=FakeDictionary()).get()


class Captchas:
    """Implements `Challenges`, out of order as told."""

    def __init__(self, fault: Fault | None = None) -> None:
        self._fault = fault
        self.id, self.picture, self.length = "c", "data:image/png;base64,", 6

    async def create(self) -> Challenge:
        if self._fault:
            raise self._fault
        return self

    async def audio(self, captcha_id: str) -> bytes | None:
        if self._fault:
            raise self._fault
        return b"RIFF" if captcha_id == self.id else None


async def test_a_captcha_is_to_be_seen_and_heard() -> None:
    usecase = CaptchaUsecase(challenges=Captchas())

    assert (await usecase.create()).length == 6
    assert await usecase.audio("c") == b"RIFF"
    with refused("CAPTCHA_NOT_FOUND"):
        await usecase.audio("x")


@pytest.mark.parametrize(
    ("raised", "reason"), [("UNAVAILABLE", "CAPTCHA_UNAVAILABLE"), ("INTERNAL", "INTERNAL")]
)
async def test_captchas_that_cannot_be_kept_are_not_given_out(raised: str, reason: str) -> None:
    usecase = CaptchaUsecase(challenges=Captchas(Fault(raised)))

    with refused(reason):
        await usecase.create()
    with refused(reason):
        await usecase.audio("c")


def test_uids_are_uuids_that_sort_by_time() -> None:
    tokens = FakeTokens()
    uids = [new_uid(NOW + timedelta(milliseconds=number), tokens) for number in range(50)]

    assert uids == sorted(uids)
    assert len(set(uids)) == 50
    assert all(re.fullmatch(r"[0-9a-f]{12}7[0-9a-f]{3}[89ab][0-9a-f]{15}", uid) for uid in uids)


def test_secrets_need_no_escaping_and_passwords_can_be_read_out() -> None:
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", new_secret(FakeTokens()))
    assert re.fullmatch(r"([a-z2-7]{5}-){3}[a-z2-7]{5}", new_password(FakeTokens()))


@pytest.mark.parametrize(
    "make",
    [
        lambda: Actor("", "name", "user", "s"),
        lambda: User("", "name", "x", "user"),
        lambda: User("uid", "", "x", "user"),
        lambda: User("uid", "name", "x", ""),
        lambda: Role("", "Name"),
        lambda: Setting(""),
        lambda: RefreshToken("", "f", "u", NOW, NOW),
        lambda: RefreshToken("h", "", "u", NOW, NOW),
        lambda: RefreshToken("h", "f", "", NOW, NOW),
    ],
)
def test_what_nothing_could_refer_to_cannot_be(make: Callable[[], object]) -> None:
    with pytest.raises(ValueError, match="needs a"):
        make()


def test_a_users_password_hash_does_not_print() -> None:
    assert "hash" not in repr(User("uid", "name", "hash", "user"))

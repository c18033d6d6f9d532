"""Only the right password passes, old hashes are flagged, and nobody is told who has an account."""

from __future__ import annotations

import asyncio
import hashlib
import threading
from typing import TYPE_CHECKING

import pytest
from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError
from pydantic import ValidationError

from pkg.config import ByteSize
from pkg.password import Argon2Passwords, FakePasswords, Passwords, PasswordSettings
from pkg.tokens import FakeTokens

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

CHEAP = PasswordSettings(rounds=1, memory=ByteSize(8 * 1024 * 1024), concurrency=2)


@pytest.fixture
async def passwords() -> AsyncIterator[Argon2Passwords]:
    made = Argon2Passwords(CHEAP, FakeTokens())
    await made.start()
    yield made
    await made.stop()


@pytest.fixture(params=["argon2", "fake"])
def either(request: pytest.FixtureRequest, passwords: Argon2Passwords) -> Passwords:
    return passwords if request.param == "argon2" else FakePasswords()


@pytest.mark.parametrize("password", ["correct horse", "密码 🐎", "", "\ud800", "x" * 1024])
async def test_the_right_password_passes(either: Passwords, password: str) -> None:
    verdict = await either.verify(await either.hash(password), password)

    assert (verdict.ok, verdict.rehash) == (True, False)


async def test_a_wrong_password_does_not(either: Passwords) -> None:
    verdict = await either.verify(await either.hash("correct horse"), "correct horsf")

    assert (verdict.ok, verdict.rehash) == (False, False)


@pytest.mark.parametrize("hashed", ["", "!", "$argon2id$nonsense", "md5$", "md5$$", "plaintext"])
async def test_a_hash_that_cannot_be_read_matches_nothing(either: Passwords, hashed: str) -> None:
    assert not (await either.verify(hashed, "")).ok


async def test_a_hash_is_new_each_time(passwords: Argon2Passwords) -> None:
    assert await passwords.hash("a") != await passwords.hash("a")
    assert (await passwords.hash("a")).startswith("$argon2id$")


async def test_a_password_beyond_all_measure_costs_nothing(passwords: Argon2Passwords) -> None:
    with pytest.raises(ValueError, match="1024"):
        await passwords.hash("x" * 1025)
    assert not (await passwords.verify(await passwords.hash("x"), "x" * 1025)).ok
    await passwords.dummy_verify("x" * 10_000_000)


def legacy(password: str, salt: str) -> str:
    digest = hashlib.md5((password + salt).encode(), usedforsecurity=False).hexdigest()
    return f"md5${salt}${digest}"


@pytest.mark.parametrize("salt", ["aB3dE6gH", "", "with$dollar"])
async def test_a_legacy_hash_is_verified_and_flagged(passwords: Argon2Passwords, salt: str) -> None:
    right = await passwords.verify(legacy("123456", salt), "123456")
    wrong = await passwords.verify(legacy("123456", salt), "1234567")

    assert (right.ok, right.rehash) == (True, True)
    assert (wrong.ok, wrong.rehash) == (False, False)


async def test_a_hash_of_other_cost_is_flagged(passwords: Argon2Passwords) -> None:
    dearer = Argon2Passwords(CHEAP.model_copy(update={"rounds": 2}), FakeTokens())

    verdict = await dearer.verify(await passwords.hash("a"), "a")
    await dearer.stop()

    assert (verdict.ok, verdict.rehash) == (True, True)


async def test_an_unknown_user_costs_a_hash_of_the_same_parameters(
    passwords: Argon2Passwords,
) -> None:
    # By the parameters and not by the clock, which tells little on a shared machine.
    dummy, real = passwords._dummy, await passwords.hash("a")

    assert dummy.rsplit("$", 2)[0] == real.rsplit("$", 2)[0]
    assert [len(part) for part in dummy.split("$")] == [len(part) for part in real.split("$")]
    with pytest.raises(VerifyMismatchError):  # so it was computed: one that cannot be read is not
        PasswordHasher().verify(dummy, "whatever")
    await passwords.dummy_verify("whatever")


async def test_hashing_leaves_the_loop_free_and_is_bounded(passwords: Argon2Passwords) -> None:
    most = 0
    hashing = asyncio.gather(*(passwords.hash("a") for _ in range(8)))
    while not hashing.done():
        running = [each for each in threading.enumerate() if each.name.startswith("password")]
        most = max(most, len(running))
        await asyncio.sleep(0)

    assert len(await hashing) == 8
    assert most == 2


async def test_the_fake_counts_dummies_and_flags_old_ones() -> None:
    fake = FakePasswords()
    await fake.dummy_verify("x")

    assert fake.dummies == 1
    assert (await fake.verify("old$a", "a")).rehash


def test_settings_have_units_and_floors() -> None:
    assert PasswordSettings.model_validate({"memory": "19MiB"}).memory == 19 * 1024 * 1024
    with pytest.raises(ValidationError):
        PasswordSettings.model_validate({"memory": "1MiB"})


def test_it_is_a_component(passwords: Argon2Passwords) -> None:
    assert passwords.name == "password"

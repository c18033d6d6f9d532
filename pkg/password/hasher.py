"""Passwords are kept as Argon2id hashes, and nothing tells who has an account.

Hashing runs in a few threads of its own, so that it neither holds up the event loop nor fills the
memory. Hashes that the original service made, `md5$<salt>$<hex of md5(password + salt)>`, are
verified too and flagged for rehashing.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.low_level import ARGON2_VERSION, Type

if TYPE_CHECKING:
    from collections.abc import Callable

    from pkg.password.settings import PasswordSettings
    from pkg.tokens import Tokens

T = TypeVar("T")

LEGACY: Final = "md5$"
LONGEST: Final = 1024
"""Characters; a longer password is refused before anything is computed."""

_KIB: Final = 1024


class Verdict(NamedTuple):
    """Whether a password is the right one, and what to do about its hash."""

    ok: bool
    rehash: bool = False
    """The hash is of an older kind: keep `hash(password)` in its place. Only if `ok`."""


class Passwords(Protocol):
    """Hashes and verifies passwords."""

    async def hash(self, password: str) -> str:
        """A new hash, different each time.

        Raises:
            ValueError: the password is longer than 1024 characters.
        """
        ...

    async def verify(self, hashed: str, password: str) -> Verdict:
        """Is it the password of this hash? No for a hash that cannot be read."""
        ...

    async def dummy_verify(self, password: str) -> None:
        """Take as long as `verify`: for a user who does not exist."""
        ...


class Argon2Passwords:
    """`Passwords` by Argon2id. As a component it ends its threads; it may serve several loops."""

    def __init__(self, settings: PasswordSettings, tokens: Tokens) -> None:
        """Threads start when they are needed; `tokens` makes the hash of nobody's password."""
        self._hasher = PasswordHasher(
            time_cost=settings.rounds,
            memory_cost=settings.memory // _KIB,
            parallelism=settings.parallelism,
            type=Type.ID,
        )
        self._pool = ThreadPoolExecutor(settings.concurrency, thread_name_prefix="password")
        self._dummy = _of_no_password(self._hasher, tokens)

    @property
    def name(self) -> str:
        """What it is called."""
        return "password"

    async def start(self) -> None:
        """Nothing: threads start when they are needed."""

    async def stop(self) -> None:
        """End the threads, after what they are computing."""
        await asyncio.to_thread(self._pool.shutdown, cancel_futures=True)

    async def hash(self, password: str) -> str:
        """A new hash."""
        if len(password) > LONGEST:
            raise ValueError(f"a password has at most {LONGEST} characters")
        return await self._run(partial(self._hasher.hash, _bytes(password)))

    async def verify(self, hashed: str, password: str) -> Verdict:
        """Is it the password of this hash?"""
        if len(password) > LONGEST:
            return Verdict(ok=False)
        if hashed.startswith(LEGACY):
            # An Argon2 hash is computed as well: a quick answer would tell whose hash is old.
            await self.dummy_verify(password)
            return _legacy(hashed, password)
        return await self._run(partial(self._verify, hashed, password))

    async def dummy_verify(self, password: str) -> None:
        """Compute a hash of the same cost, for nothing."""
        if len(password) <= LONGEST:
            await self._run(partial(self._verify, self._dummy, password))

    def _verify(self, hashed: str, password: str) -> Verdict:
        try:
            self._hasher.verify(hashed, _bytes(password))
        except (InvalidHashError, VerificationError):
            return Verdict(ok=False)
        return Verdict(ok=True, rehash=self._hasher.check_needs_rehash(hashed))

    async def _run(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._pool, work)


def _of_no_password(hasher: PasswordHasher, tokens: Tokens) -> str:
    """A well-formed hash that no password has: to verify one against it costs what any costs.

    Random bytes do where computing one would hold up the start.
    """
    cost = f"m={hasher.memory_cost},t={hasher.time_cost},p={hasher.parallelism}"
    salt, digest = (
        b64encode(tokens.random_bytes(count)).decode().rstrip("=")
        for count in (hasher.salt_len, hasher.hash_len)
    )
    return f"$argon2id$v={ARGON2_VERSION}${cost}${salt}${digest}"


def _legacy(hashed: str, password: str) -> Verdict:
    salt, separator, digest = hashed.removeprefix(LEGACY).rpartition("$")
    if not separator:
        return Verdict(ok=False)
    made = hashlib.md5(_bytes(password + salt), usedforsecurity=False).hexdigest()
    ok = hmac.compare_digest(made.encode(), _bytes(digest.lower()))
    return Verdict(ok=ok, rehash=ok)


def _bytes(text: str) -> bytes:
    # JSON can carry half a surrogate pair, which is no reason to fail.
    return text.encode(errors="surrogatepass")

"""What biz needs from pkg, in memory and in plain sight."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pkg.errors import Fault

if TYPE_CHECKING:
    from collections.abc import Sequence

    from internal.user.biz import DictInfo


class FakeHasher:
    """Implements `PasswordHasher`: `new:secret`, and `old:secret` from before an upgrade."""

    def __init__(self) -> None:
        self.dummies = 0

    async def hash(self, password: str) -> str:
        return f"new:{password}"

    async def verify(self, encoded: str, password: str, /) -> tuple[bool, bool]:
        kind, _, stored = encoded.partition(":")
        return stored == password, kind == "old"

    async def dummy_verify(self, password: str) -> None:
        self.dummies += 1


@dataclass
class FakeIssuer:
    """Implements `TokenIssuer`; remembers what it was asked for."""

    issued: list[tuple[str, str, str, str, int]] = field(default_factory=list)

    def issue(
        self, subject: str, name: str, role: str, session: str, version: int
    ) -> tuple[str, float]:
        self.issued.append((subject, name, role, session, version))
        return f"access-{len(self.issued)}", 1000.0 + len(self.issued)


@dataclass
class FakeRevoker:
    """Implements `SessionRevoker`."""

    ended: list[str] = field(default_factory=list)
    versions: dict[str, int] = field(default_factory=dict)
    down: bool = False

    async def end_session(self, session: str) -> None:
        self._check()
        self.ended.append(session)

    async def raise_version(self, uid: str, version: int) -> None:
        self._check()
        self.versions[uid] = version

    def _check(self) -> None:
        if self.down:
            raise Fault("UNAVAILABLE")


@dataclass
class FakeCaptcha:
    """Implements `Captcha`: each id is good for one try."""

    answers: dict[str, str] = field(default_factory=dict)

    async def verify(self, captcha_id: str, answer: str) -> bool:
        return self.answers.pop(captcha_id, None) == answer


@dataclass
class FakeThrottle:
    """Implements `Throttle`: so many failures lock a key for half a minute."""

    limit: int = 3
    failures: dict[str, int] = field(default_factory=dict)

    async def check(self, keys: Sequence[str]) -> float | None:
        return 29.5 if any(self.failures.get(key, 0) >= self.limit for key in keys) else None

    async def failed(self, keys: Sequence[str]) -> None:
        for key in keys:
            self.failures[key] = self.failures.get(key, 0) + 1

    async def succeeded(self, keys: Sequence[str]) -> None:
        for key in keys:
            self.failures.pop(key, None)


@dataclass
class FakePolicyChanged:
    """Implements `PolicyChanged`."""

    versions: list[int] = field(default_factory=list)

    async def policy_changed(self, version: int) -> None:
        self.versions.append(version)


@dataclass
class FakeEnforcer:
    """Implements `Enforcer`."""

    rules: set[tuple[str, str, str]] = field(default_factory=set)

    def allowed(self, role: str, resource: str, action: str, /) -> bool:
        return (role, resource, action) in self.rules


@dataclass(frozen=True)
class FakeIdentity:
    """Implements `Identity`."""

    subject: str
    name: str = "alice"
    role: str = "user"
    session: str = "s"
    expires_at: float = 1000.0


@dataclass
class FakeVerifier:
    """Implements `TokenVerifier`: a token is good for whom it is registered, or fails as told."""

    known: dict[str, FakeIdentity | Fault] = field(default_factory=dict)

    async def authenticate(self, token: str) -> FakeIdentity:
        found = self.known.get(token, Fault("UNAUTHENTICATED"))
        if isinstance(found, Fault):
            raise found
        return found


@dataclass
class FakeDictionary:
    """Implements `Dictionary`."""

    info: DictInfo | None = None

    async def read(self) -> DictInfo:
        if self.info is None:
            raise LookupError("nothing was read")
        return self.info

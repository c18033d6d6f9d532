"""Who uses the service in these tests: visitors who solve captchas, and the signed-in."""

from __future__ import annotations

import uuid
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import pytest
import redis

from api.user.http.v1 import GetCaptchaRequest, LoginRequest, RegisterRequest
from api.user.http.v1.service import (
    AuthServiceClient,
    MenuServiceClient,
    PolicyServiceClient,
    ProfileServiceClient,
    RoleServiceClient,
    SystemServiceClient,
    UserServiceClient,
)
from pkg.errors import Fault
from tests.e2e.service import ADMIN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pkg.rpc import Channel
    from tests.e2e.service import Service

PASSWORD: Final = "correct horse"


class Captchas:
    """Knows the answers, because it may look into the service's Redis."""

    def __init__(self, url: str) -> None:
        self._redis: Any = redis.Redis.from_url(url, decode_responses=True)

    def answer(self, captcha_id: str) -> str:
        """The digits that the picture shows."""
        found = self._redis.hget(f"captcha:{captcha_id}", "answer")
        assert found, f"Redis knows no captcha {captcha_id}"
        return str(found)

    def forget_failures(self) -> None:
        """Unlock all that earlier tests have locked: they share an address."""
        for key in self._redis.scan_iter("throttle:*"):
            self._redis.delete(key)

    def close(self) -> None:
        """Disconnect."""
        self._redis.close()


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody who is signed in."""

    uid: str
    name: str
    token: str
    refresh_token: str

    @property
    def headers(self) -> dict[str, str]:
        """What every call of this person carries."""
        return {"authorization": f"Bearer {self.token}"}


class World:
    """The service as seen through typed clients over one transport."""

    def __init__(self, channel: Channel, service: Service, captchas: Captchas) -> None:
        self.service = service
        self.captchas = captchas
        self.auth = AuthServiceClient(channel)
        self.profile = ProfileServiceClient(channel)
        self.menus = MenuServiceClient(channel)
        self.policies = PolicyServiceClient(channel)
        self.roles = RoleServiceClient(channel)
        self.users = UserServiceClient(channel)
        self.system = SystemServiceClient(channel)

    async def solve(self) -> tuple[str, str]:
        """A new captcha: its id and its answer."""
        captcha = await self.auth.get_captcha(GetCaptchaRequest())
        assert captcha.pic_path.startswith("data:image/png;base64,")
        answer = self.captchas.answer(captcha.captcha_id)
        assert len(answer) == captcha.captcha_length
        return captcha.captcha_id, answer

    async def register(self, name: str = "") -> str:
        """Open an account with PASSWORD; returns its name, made up where none is given."""
        name = name or f"e2e{uuid.uuid4().hex[:8]}"
        captcha_id, answer = await self.solve()
        request = RegisterRequest(
            user_name=name, password=PASSWORD, captcha=answer, captcha_id=captcha_id
        )
        await self.auth.register(request)
        return name

    async def sign_in(self, name: str, password: str = PASSWORD) -> Session:
        """Open a session."""
        captcha_id, answer = await self.solve()
        request = LoginRequest(
            user_name=name, password=password, captcha=answer, captcha_id=captcha_id
        )
        reply = await self.auth.login(request)
        return Session(reply.uid, reply.user_name, reply.token, reply.refresh_token)

    async def newcomer(self) -> Session:
        """Somebody who has just registered and signed in."""
        return await self.sign_in(await self.register())

    async def admin(self) -> Session:
        """The administrator that the first start has made."""
        return await self.sign_in(ADMIN, self.service.password)


@contextmanager
def refused(reason: str) -> Iterator[pytest.ExceptionInfo[Fault]]:
    """What is done inside must be refused for this reason; gives the refusal."""
    with pytest.raises(Fault) as caught:
        yield caught
    assert caught.value.reason == reason, caught.value

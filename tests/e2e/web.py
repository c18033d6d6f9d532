"""Plain HTTP against the service, for what is about bytes, statuses and headers."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any, Final, Self

import httpx

from tests.e2e.people import PASSWORD, Captchas
from tests.e2e.service import ADMIN

if TYPE_CHECKING:
    from types import TracebackType

    from tests.e2e.service import Service

JSON: Final = {"content-type": "application/json"}


class Web:
    """A client that can sign people in."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.captchas = Captchas(service.redis_url)
        self.client = httpx.Client(base_url=service.http, timeout=30, trust_env=False)
        self._tokens: dict[str, str] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.client.close()
        self.captchas.close()

    def solved(self) -> dict[str, str]:
        """A new captcha and its answer, as bodies name them."""
        captcha_id = _data(self.client.get("/v1/captcha"))["captchaID"]
        return {"captcha": self.captchas.answer(captcha_id), "captchaID": captcha_id}

    def register(self, name: str = "") -> str:
        """Open an account with PASSWORD; returns its name."""
        name = name or f"web{uuid.uuid4().hex[:8]}"
        body = {"username": name, "password": PASSWORD, **self.solved()}
        _data(self.client.post("/v1/register", json=body))
        return name

    def login(self, name: str, password: str) -> httpx.Response:
        """Try to sign in."""
        body = {"username": name, "password": password, **self.solved()}
        return self.client.post("/v1/login", json=body)

    def sign_in(self, name: str, password: str = PASSWORD) -> dict[str, str]:
        """Sign in; returns the headers of who has."""
        return {"authorization": f"Bearer {_data(self.login(name, password))['token']}"}

    @property
    def admin(self) -> dict[str, str]:
        """Headers of the administrator, who signs in once."""
        if ADMIN not in self._tokens:
            signed_in = self.sign_in(ADMIN, self.service.password)
            self._tokens[ADMIN] = signed_in["authorization"]
        return {"authorization": self._tokens[ADMIN]}


def _data(response: httpx.Response) -> Any:
    """What a success carries, whatever the profile."""
    body = response.json()
    assert response.status_code == 200, response.text
    assert body.get("code", 0) == 0, response.text
    return body.get("data", body)

"""Handing out captchas."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from internal.user import ecode
from pkg.errors import Fault

if TYPE_CHECKING:
    from typing import NoReturn


class Challenge(Protocol):
    """One captcha, as a person sees it."""

    @property
    def id(self) -> str: ...
    @property
    def picture(self) -> str:
        """The digits as a data URI (PNG)."""
        ...

    @property
    def length(self) -> int:
        """How many digits it shows."""
        ...


class Challenges(Protocol):
    """Makes captchas and keeps their answers for a while."""

    async def create(self) -> Challenge:
        """A new captcha.

        Raises:
            Fault: UNAVAILABLE, where its answer cannot be kept.
        """
        ...

    async def audio(self, captcha_id: str) -> bytes | None:
        """The digits spoken (WAV); None where there is no such captcha any more.

        Raises:
            Fault: UNAVAILABLE.
        """
        ...


class CaptchaUsecase:
    """Hands out captchas to see and to hear."""

    def __init__(self, *, challenges: Challenges) -> None:
        self._challenges = challenges

    async def create(self) -> Challenge:
        """A new captcha.

        Raises:
            Fault: CAPTCHA_UNAVAILABLE.
        """
        try:
            return await self._challenges.create()
        except Fault as fault:
            _unavailable(fault)

    async def audio(self, captcha_id: str) -> bytes:
        """A captcha's digits spoken, as a WAV file. Listening does not use it up.

        Raises:
            Fault: CAPTCHA_NOT_FOUND, CAPTCHA_UNAVAILABLE.
        """
        try:
            audio = await self._challenges.audio(captcha_id)
        except Fault as fault:
            _unavailable(fault)
        if audio is None:
            raise ecode.captcha_not_found()
        return audio


def _unavailable(fault: Fault) -> NoReturn:
    if fault.reason != "UNAVAILABLE":
        raise fault
    raise ecode.captcha_unavailable() from fault

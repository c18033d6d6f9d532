"""Captchas: shown or read out before anybody signs in or registers."""

from __future__ import annotations

from typing import Protocol

from internal.user import ecode
from pkg.errors import Fault


class Challenge(Protocol):
    """A new captcha, without its answer."""

    @property
    def id(self) -> str: ...
    @property
    def picture(self) -> str:
        """The picture as a data URI (PNG)."""
        ...

    @property
    def length(self) -> int:
        """How many digits it shows."""
        ...


class CaptchaSource(Protocol):
    """Makes captchas, and keeps their answers for a while."""

    async def create(self) -> Challenge:
        """A new captcha.

        Raises:
            Fault: UNAVAILABLE, where the answer cannot be kept.
        """
        ...

    async def audio(self, captcha_id: str) -> bytes | None:
        """The digits spoken, as WAV; None where there is no such captcha (any more)."""
        ...


class CaptchaUsecase:
    """Gives captchas out."""

    def __init__(self, *, source: CaptchaSource) -> None:
        self._source = source

    async def create(self) -> Challenge:
        """A new captcha.

        Raises:
            Fault: CAPTCHA_UNAVAILABLE.
        """
        try:
            return await self._source.create()
        except Fault as fault:
            if fault.reason == "UNAVAILABLE":
                raise ecode.captcha_unavailable() from fault
            raise

    async def audio(self, captcha_id: str) -> bytes:
        """A captcha for the ear, as WAV.

        Raises:
            Fault: CAPTCHA_MISMATCH, where there is no such captcha (any more).
        """
        spoken = await self._source.audio(captcha_id)
        if spoken is None:
            raise ecode.captcha_mismatch()
        return spoken

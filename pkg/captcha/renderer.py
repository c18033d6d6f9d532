"""Draws and speaks digits, so that a person can tell them and a program hardly."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from pkg.captcha.settings import CaptchaSettings

NOISE = bytes(value % 4 + 126 for value in range(256))
"""A byte of noise for each random one: silence is 128."""


class Renderer(Protocol):
    """Makes a picture and a sound of digits. Called in a thread, one at a time."""

    def image(self, digits: str) -> bytes:
        """A PNG."""
        ...

    def audio(self, digits: str) -> bytes:
        """A WAV."""
        ...


class CaptchaRenderer:
    """By the `captcha` library, which is loaded at the first use because that takes a while."""

    def __init__(self, settings: CaptchaSettings) -> None:
        self._settings = settings
        self._painter: Any = None
        self._speaker: Any = None

    def image(self, digits: str) -> bytes:
        """A PNG of the configured size; about 10 ms, the first one more."""
        if self._painter is None:
            from captcha.image import ImageCaptcha

            self._painter = ImageCaptcha(self._settings.width, self._settings.height)
        return bytes(self._painter.generate(digits).getvalue())

    def audio(self, digits: str) -> bytes:
        """English digits in noise, 8 kHz, some ten seconds."""
        if self._speaker is None:
            from captcha.audio import AudioCaptcha

            class Speaker(AudioCaptcha):
                def create_background_noise(self, length: int, chars: str) -> bytearray:
                    # The library draws each byte by itself, which takes most of its time.
                    return bytearray(secrets.token_bytes(length).translate(NOISE))

            self._speaker = Speaker()
        return bytes(self._speaker.generate(digits))


class FakeRenderer:
    """Writes the digits down: a captcha that a test can solve."""

    def image(self, digits: str) -> bytes:
        """The digits, not a picture."""
        return f"image:{digits}".encode()

    def audio(self, digits: str) -> bytes:
        """The digits, not a sound."""
        return f"audio:{digits}".encode()

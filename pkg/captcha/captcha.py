"""A picture of digits that tells people from programs.

An answer is good once, for a while and for a few tries; which of these was wrong is not told.
Pictures and sounds are made in a thread of their own.
"""

from __future__ import annotations

import asyncio
import base64
import hmac
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pkg.captcha.renderer import CaptchaRenderer

if TYPE_CHECKING:
    from pkg.captcha.renderer import Renderer
    from pkg.captcha.settings import CaptchaSettings
    from pkg.captcha.store import Challenges
    from pkg.tokens import Tokens

LONGEST_ID: Final = 64
"""Characters. A longer id is none of ours and not looked up."""


@dataclass(frozen=True, slots=True)
class Challenge:
    """What is shown to whoever must answer."""

    id: str
    picture: str
    """A PNG as a data URI."""
    length: int
    """How many digits it shows."""


class CaptchaService:
    """Makes captchas and checks answers. Belongs to the loop of its store.

    As a component it ends its thread when it stops; otherwise that ends with the process.
    """

    def __init__(
        self,
        settings: CaptchaSettings,
        store: Challenges,
        tokens: Tokens,
        renderer: Renderer | None = None,
    ) -> None:
        """Draw nothing yet.

        Args:
            settings: of the captchas.
            store: where answers wait.
            tokens: the source of ids and digits.
            renderer: draws and speaks; `CaptchaRenderer` without.
        """
        self._store = store
        self._renderer = renderer or CaptchaRenderer(settings)
        self._settings = settings
        self._tokens = tokens
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="captcha")

    @property
    def name(self) -> str:
        """What it is called."""
        return "captcha"

    async def start(self) -> None:
        """Nothing: the thread starts when it is needed."""

    async def stop(self) -> None:
        """End the thread, after what it is drawing."""
        await asyncio.to_thread(self._pool.shutdown, cancel_futures=True)

    async def create(self) -> Challenge:
        """A new captcha.

        Raises:
            Fault: UNAVAILABLE when its answer cannot be stored.
        """
        answer = self._tokens.digits(self._settings.length)
        captcha_id = self._tokens.urlsafe(16)
        loop = asyncio.get_running_loop()
        png = await loop.run_in_executor(self._pool, self._renderer.image, answer)
        await self._store.put(captcha_id, answer, self._settings.ttl)
        uri = f"data:image/png;base64,{base64.b64encode(png).decode()}"
        return Challenge(captcha_id, uri, self._settings.length)

    async def audio(self, captcha_id: str) -> bytes | None:
        """The captcha spoken, as a WAV; None when there is no such captcha any more.

        Raises:
            Fault: UNAVAILABLE when the store cannot be reached.
        """
        if not _possible(captcha_id):
            return None
        answer = await self._store.peek(captcha_id)
        if answer is None:
            return None
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._pool, self._renderer.audio, answer)

    async def verify(self, captcha_id: str, answer: str) -> bool:
        """Is it the answer? Yes at most once; no from the last try on and when the time is over.

        Raises:
            Fault: UNAVAILABLE when the store cannot be reached.
        """
        if not _possible(captcha_id):
            return False
        attempt = await self._store.attempt(captcha_id, self._settings.attempts)
        if attempt is None:
            return False
        given = answer.strip().encode(errors="replace")
        if not hmac.compare_digest(given, attempt.answer.encode()):
            return False
        return attempt.last or await self._store.consume(captcha_id)


def _possible(captcha_id: str) -> bool:
    return 0 < len(captcha_id) <= LONGEST_ID and captcha_id.isascii() and captcha_id.isprintable()

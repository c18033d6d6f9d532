"""One conversation with a mail server."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Final, cast

import aiosmtplib

from pkg.email.errors import (
    MailDeferredError,
    MailError,
    MailRefusedError,
    MailServerError,
    Refusal,
    is_temporary,
    nobody_took_it,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from pkg.email.mail import Mail
    from pkg.email.settings import EmailSettings

_GOING_AWAY: Final = 421
_NO: Final = 400
_NO_REPLY: Final = 600
"""Codes from 400 up to here say no; any other in their place is no SMTP."""
_LONGEST_TEXT: Final = 500
"""Characters of a reply that are told."""


class SmtpBatch:
    """A `Sender` over one connection, which is made again after it broke."""

    def __init__(
        self,
        settings: EmailSettings,
        new_client: Callable[[], aiosmtplib.SMTP],
        rendered: Callable[[Mail], bytes],
    ) -> None:
        """Nothing is connected yet.

        Args:
            settings: of the server.
            new_client: one that is not connected.
            rendered: a mail as the server is given it. Is called in a thread.
        """
        self._settings = settings
        self._new_client = new_client
        self._rendered = rendered
        self._client: aiosmtplib.SMTP | None = None
        self._transport: asyncio.WriteTransport | None = None

    async def send(self, mail: Mail) -> tuple[Refusal, ...]:
        """Send one mail."""
        settings = self._settings
        seconds = settings.send_timeout.total_seconds()
        try:
            async with asyncio.timeout(seconds):
                # Megabytes of attachments would hold up the event loop.
                message = await asyncio.to_thread(self._rendered, mail)
                client = await self._connected()
                refused, _ = await client.sendmail(str(settings.sender), mail.to, message)
        except aiosmtplib.SMTPRecipientsRefused as error:
            refusals = tuple(
                Refusal(each.recipient, each.code, _short(each.message))
                for each in error.recipients
            )
            raise nobody_took_it(refusals) from error
        except aiosmtplib.SMTPResponseException as error:
            raise self._answered(error) from error
        except TimeoutError as error:  # before OSError, which it is
            self.abort()
            raise MailServerError(str(error) or f"not done within {seconds:g} s") from error
        except (aiosmtplib.SMTPException, OSError) as error:
            self.abort()
            raise MailServerError(_short(f"{type(error).__name__}: {error}")) from error
        except BaseException:
            self.abort()
            raise
        return tuple(
            Refusal(address, reply.code, _short(reply.message))
            for address, reply in refused.items()
        )

    async def leave(self) -> None:
        """Take leave of the server, if it is there."""
        client = self._client
        try:
            if client is not None and client.is_connected:
                # Every mail has been answered for: whatever goes wrong now, nothing is lost.
                with suppress(aiosmtplib.SMTPException, OSError):
                    await client.quit()
        finally:
            self.abort()

    def abort(self) -> None:
        """Let go of the connection at once."""
        client, self._client = self._client, None
        transport, self._transport = self._transport, None
        if client is not None:
            client.close()
        if transport is not None:
            transport.abort()  # `close` would wait until all is sent, which a dead peer never takes

    async def _connected(self) -> aiosmtplib.SMTP:
        if self._client is not None and self._client.is_connected:
            return self._client
        self.abort()
        client = self._new_client()
        await client.connect(timeout=self._settings.connect_timeout.total_seconds())
        # Those of uvloop are none by class, but by what they can do.
        self._client, self._transport = client, cast("asyncio.WriteTransport", client.transport)
        return client

    def _answered(self, error: aiosmtplib.SMTPResponseException) -> MailError:
        """What a reply that is not about a recipient means."""
        text = f"{error.code} {_short(error.message)}"
        connected = self._client is not None and self._client.is_connected
        about_us = isinstance(
            error,
            aiosmtplib.SMTPConnectResponseError
            | aiosmtplib.SMTPHeloError
            | aiosmtplib.SMTPAuthenticationError,
        )
        leaving = not connected or error.code == _GOING_AWAY
        if about_us or leaving or not _NO <= error.code < _NO_REPLY:
            self.abort()
            return MailServerError(text)
        if is_temporary(error.code):
            return MailDeferredError(text)
        return MailRefusedError(text)


def _short(text: str) -> str:
    """A reply in one line of a reasonable length."""
    return " ".join(text.encode("utf-8", "replace").decode().split())[:_LONGEST_TEXT]

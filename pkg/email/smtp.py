"""Mail over SMTP.

A connection lives for one batch. Every step has a deadline, and so has a mail as a whole: a server
that hangs costs `send_timeout`, never more. Nothing is tried again here: who sends knows how long
a mail is worth trying.
"""

from __future__ import annotations

import asyncio
import dataclasses
import re
import socket
import ssl
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Final

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
from pkg.email.message import message_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from pkg.clock import Clock
    from pkg.email.mail import Mail
    from pkg.email.settings import EmailSettings
    from pkg.tokens import Tokens

_NO: Final = 400
_NO_REPLY: Final = 600
"""Codes from 400 up to here say no; any other in their place is no SMTP."""
_HOST_NAME: Final = re.compile(r"[A-Za-z0-9.-]+", re.ASCII)
_LONGEST_TEXT: Final = 500
"""Characters of a reply that are told."""


class SmtpMailer:
    """A `Mailer` on a mail server. Holds nothing open between batches."""

    def __init__(self, settings: EmailSettings, *, clock: Clock, tokens: Tokens) -> None:
        """Nothing is connected yet.

        Raises:
            ValueError: the settings name no server.
        """
        if not settings.host or settings.sender is None:
            raise ValueError("mail needs a host and a sender")
        self._settings = settings
        self._sender = settings.sender
        self._clock = clock
        self._tokens = tokens
        self._tls: ssl.SSLContext | None = None

    async def send(self, mail: Mail) -> tuple[Refusal, ...]:
        """Send one mail over a connection of its own."""
        async with self.batch() as batch:
            return await batch.send(mail)

    @asynccontextmanager
    async def batch(self) -> AsyncIterator[SmtpBatch]:
        """Send several over one connection."""
        batch = SmtpBatch(self)
        try:
            yield batch
        except MailError:
            await batch.leave()
            raise
        except BaseException:
            batch.abort()
            raise
        else:
            await batch.leave()

    def rendered(self, mail: Mail) -> bytes:
        """The mail as the server is given it."""
        if not mail.message_id:
            domain = self._sender.partition("@")[2]
            mail = dataclasses.replace(mail, message_id=f"<{self._tokens.hex()}@{domain}>")
        message = message_of(
            mail, sender=self._sender, nickname=self._settings.nickname, now=self._clock.now()
        )
        return message.as_bytes()

    async def client(self) -> aiosmtplib.SMTP:
        """A client that is not connected yet."""
        settings = self._settings
        if self._tls is None and settings.security != "none":
            self._tls = await asyncio.to_thread(_trust, settings)  # reads many certificates
        return aiosmtplib.SMTP(
            hostname=settings.host,
            port=settings.port_or_default(),
            username=settings.user or None,
            password=settings.password.get_secret_value() or None,
            local_hostname=settings.hello or _own_name(),
            timeout=settings.command_timeout.total_seconds(),
            use_tls=settings.security == "tls",
            start_tls=settings.security == "starttls",
            tls_context=self._tls,
        )

    @property
    def sender(self) -> str:
        """The address that mails are from."""
        return self._sender

    @property
    def connect_timeout(self) -> float:
        """Seconds."""
        return self._settings.connect_timeout.total_seconds()

    @property
    def command_timeout(self) -> float:
        """Seconds."""
        return self._settings.command_timeout.total_seconds()

    @property
    def send_timeout(self) -> float:
        """Seconds."""
        return self._settings.send_timeout.total_seconds()


class SmtpBatch:
    """One conversation with the server, begun again after one that failed."""

    def __init__(self, mailer: SmtpMailer) -> None:
        self._mailer = mailer
        self._client: aiosmtplib.SMTP | None = None
        self._transport: asyncio.BaseTransport | None = None

    async def send(self, mail: Mail) -> tuple[Refusal, ...]:
        """Send one mail."""
        seconds = self._mailer.send_timeout
        try:
            async with asyncio.timeout(seconds):
                # Megabytes of attachments would hold up the event loop.
                message = await asyncio.to_thread(self._mailer.rendered, mail)
                client = await self._connected()
                refused, _ = await client.sendmail(self._mailer.sender, mail.to, message)
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
                    await client.quit(timeout=self._mailer.command_timeout)
        finally:
            self.abort()

    def abort(self) -> None:
        """Let go of the connection at once."""
        client, self._client = self._client, None
        transport, self._transport = self._transport, None
        if client is not None:
            client.close()
        if isinstance(transport, asyncio.WriteTransport):
            transport.abort()  # `close` would wait until all is sent, which a dead peer never takes

    async def _connected(self) -> aiosmtplib.SMTP:
        if self._client is not None and self._client.is_connected:
            return self._client
        self.abort()
        client = await self._mailer.client()
        await client.connect(timeout=self._mailer.connect_timeout)
        self._client, self._transport = client, client.transport
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
        if about_us or not connected or not _NO <= error.code < _NO_REPLY:
            self.abort()
            return MailServerError(text)
        if is_temporary(error.code):
            return MailDeferredError(text)
        return MailRefusedError(text)


def _trust(settings: EmailSettings) -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if settings.ca_file is not None:
        context.load_verify_locations(settings.ca_file)
    return context


def _own_name() -> str:
    """What the host is called, without asking any name server."""
    name = socket.gethostname()
    return name if _HOST_NAME.fullmatch(name) else "localhost"


def _short(text: str) -> str:
    """A reply in one line of a reasonable length."""
    return " ".join(text.encode("utf-8", "replace").decode().split())[:_LONGEST_TEXT]

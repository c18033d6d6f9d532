"""Mail over SMTP.

A connection lives for one batch. Every step has a deadline, and so has a mail as a whole: a server
that hangs costs `send_timeout`, never more. Nothing is tried again here: who sends knows how long
a mail is worth trying.
"""

from __future__ import annotations

import dataclasses
import re
import socket
import ssl
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

import aiosmtplib

from pkg.email.batch import SmtpBatch
from pkg.email.errors import MailError
from pkg.email.message import message_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from pkg.clock import Clock
    from pkg.email.errors import Refusal
    from pkg.email.mail import Mail
    from pkg.email.settings import EmailSettings
    from pkg.tokens import Tokens

_HOST_NAME: Final = re.compile(r"[A-Za-z0-9.-]+", re.ASCII)


class SmtpMailer:
    """A `Mailer` on a mail server. Holds nothing open between batches."""

    def __init__(self, settings: EmailSettings, *, clock: Clock, tokens: Tokens) -> None:
        """Read whom to trust; nothing is connected yet.

        Raises:
            ValueError: the settings name no server, or a CA file that cannot be used.
        """
        if not settings.host or settings.sender is None:
            raise ValueError("mail needs a host and a sender")
        self._settings = settings
        self._sender = settings.sender
        self._clock = clock
        self._tokens = tokens
        self._tls = None if settings.security == "none" else _trust(settings.ca_file)

    async def send(self, mail: Mail) -> tuple[Refusal, ...]:
        """Send one mail over a connection of its own."""
        async with self.batch() as batch:
            return await batch.send(mail)

    @asynccontextmanager
    async def batch(self) -> AsyncIterator[SmtpBatch]:
        """Send several over one connection."""
        batch = SmtpBatch(self._settings, self._client, self._rendered)
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

    def _rendered(self, mail: Mail) -> bytes:
        """The mail as the server is given it."""
        if not mail.message_id:
            domain = self._sender.partition("@")[2]
            mail = dataclasses.replace(mail, message_id=f"<{self._tokens.hex()}@{domain}>")
        message = message_of(
            mail, sender=self._sender, nickname=self._settings.nickname, now=self._clock.now()
        )
        return message.as_bytes()

    def _client(self) -> aiosmtplib.SMTP:
        """A client that is not connected yet."""
        settings = self._settings
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


def _trust(ca_file: Path | None) -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if ca_file is not None:
        try:
            context.load_verify_locations(ca_file)
        except OSError as error:  # an SSLError is one too
            raise ValueError(f"the CA file {ca_file} cannot be used: {error}") from error
    return context


def _own_name() -> str:
    """What the host is called, without asking any name server."""
    name = socket.gethostname()
    return name if _HOST_NAME.fullmatch(name) else "localhost"

"""What the contract of mailers runs on: mailboxes that tests can look into.

    MemoryMailbox     what a `MemoryMailer` keeps
    SmtpMailbox       a mail server within the test, in the clear, with STARTTLS, or with TLS
    WebMailbox        maildev, at TEST_SMTP_URL (smtp://127.0.0.1:1025) and TEST_MAILBOX_URL (http)

Tests share the last one: each has addresses of its own.
"""

from __future__ import annotations

import asyncio
import email
import email.policy
import uuid
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, Protocol
from urllib.parse import urlsplit

import httpx
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

from pkg.clock import SystemClock
from pkg.config import Secret
from pkg.email import EmailSettings, Mailer, MemoryMailer
from pkg.email.smtp import SmtpMailer
from pkg.tokens import FakeTokens

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator
    from email.message import EmailMessage

    from pkg.email.settings import Security
    from tests.contract.certificates import Certificate

USER, PASSWORD = "mailer", "open sesame"
FROM = "robot@example.com"
NICKNAME = "用户服务 (prod)"
_PATIENCE: Final = 10.0
"""Seconds until a mail that was taken must be in the mailbox."""


@dataclass(frozen=True, slots=True)
class Received:
    """A mail as a reader sees it."""

    to: tuple[str, ...]
    subject: str
    text: str
    html: str
    attachments: tuple[tuple[str, str, bytes], ...]
    """Name, media type, content."""
    headers: dict[str, str]
    sender: str = f"{NICKNAME} <{FROM}>"


class Mailbox(Protocol):
    """Where the mails of one test arrive."""

    @property
    def mailer(self) -> Mailer:
        """Sends to it."""
        ...

    async def received(self, count: int) -> list[Received]:
        """The mails in the order in which they came, when there are so many."""
        ...


class MemoryMailbox:
    """What a `MemoryMailer` keeps."""

    def __init__(self) -> None:
        self.mailer = MemoryMailer()

    async def received(self, count: int) -> list[Received]:
        """The mails that were sent."""
        assert len(self.mailer.sent) == count
        return [
            Received(
                to=mail.to,
                subject=mail.subject,
                text=mail.text,
                html=mail.html,
                attachments=tuple((a.name, a.media_type, a.content) for a in mail.attachments),
                headers={**mail.headers, "Message-ID": mail.message_id},
            )
            for mail in self.mailer.sent
        ]

    def refuse(self, address: str, code: int) -> None:
        """Take nothing for this recipient."""
        self.mailer.refused[address] = (code, "no")


@dataclass
class SmtpMailbox:
    """A mail server in this event loop. What it is asked and how it answers can be told."""

    security: Security = "none"
    certificate: Certificate | None = None
    with_login: bool = False
    mails: list[bytes] = field(default_factory=list)
    connections: int = 0
    refused: dict[str, int] = field(default_factory=dict)
    answer: str = "250 OK"
    """To the content of a mail."""
    answered: asyncio.Event | None = None
    """If there is one, content is answered when it is set."""
    port: int = 0
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    """Content has come."""
    left: asyncio.Event = field(default_factory=asyncio.Event)
    """Somebody went away without waiting for the answer."""

    @asynccontextmanager
    async def running(self) -> AsyncIterator[SmtpMailbox]:
        """Listen on a free port."""
        context = self.certificate.context() if self.certificate is not None else None
        loop = asyncio.get_running_loop()
        server = await loop.create_server(
            lambda: self._session(context),
            "127.0.0.1",
            self.port,
            ssl=context if self.security == "tls" else None,
        )
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            await server.wait_closed()

    def settings(self, **changes: Any) -> EmailSettings:
        """Those of a mailer for this server."""
        facts: dict[str, Any] = {
            "host": "127.0.0.1",
            "port": self.port,
            "security": self.security,
            "sender": FROM,
            "nickname": NICKNAME,
            "ca_file": self.certificate.authority if self.certificate is not None else None,
            "connect_timeout": timedelta(seconds=5),
            "command_timeout": timedelta(seconds=5),
        }
        if self.with_login:
            facts |= {"user": USER, "password": Secret(PASSWORD)}
        return EmailSettings(**(facts | changes))

    @property
    def mailer(self) -> SmtpMailer:
        """A mailer for this server."""
        return SmtpMailer(self.settings(), clock=SystemClock(), tokens=FakeTokens())

    async def received(self, count: int) -> list[Received]:
        """The mails that were taken."""
        assert len(self.mails) == count
        return [parsed(each) for each in self.mails]

    def refuse(self, address: str, code: int) -> None:
        """Take nothing for this recipient."""
        self.refused[address] = code

    # What the server calls.

    async def handle_MAIL(  # noqa: N802 - the name is that of the SMTP command
        self, _server: SMTP, session: Any, envelope: Any, address: str, _options: list[str]
    ) -> str:
        """Begin a mail of who has logged in."""
        if self.with_login and not session.authenticated:
            return "530 who are you?"
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(  # noqa: N802 - the name is that of the SMTP command
        self, _server: SMTP, _session: Any, envelope: Any, address: str, _options: list[str]
    ) -> str:
        """Take a recipient, or not."""
        if address in self.refused:
            return f"{self.refused[address]} no"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802 - the name is that of the SMTP command
        self, _server: SMTP, _session: Any, envelope: Any
    ) -> str:
        """Take the content, or not."""
        self.asked.set()
        if self.answered is not None:
            try:
                await self.answered.wait()
            except asyncio.CancelledError:
                self.left.set()
                raise
        if self.answer.startswith("250"):
            self.mails.append(envelope.original_content)
        return self.answer

    def _session(self, context: ssl.SSLContext | None) -> SMTP:
        self.connections += 1
        return SMTP(
            self,
            hostname="mail.test",
            tls_context=context if self.security == "starttls" else None,
            require_starttls=self.security == "starttls",
            auth_require_tls=self.security == "starttls",
            authenticator=self._login,
            loop=asyncio.get_running_loop(),
        )

    def _login(
        self, _server: SMTP, _session: Any, _envelope: Any, _mechanism: str, data: Any
    ) -> AuthResult:
        known = data == LoginPassword(USER.encode(), PASSWORD.encode())
        return AuthResult(success=known, handled=False)


class WebMailbox:
    """The mails of one test in a maildev that others use too."""

    def __init__(self, smtp_url: str, web_url: str, web: httpx.AsyncClient, mark: str) -> None:
        """`mark` is in every recipient of the test."""
        smtp = urlsplit(smtp_url)
        settings = EmailSettings(
            host=smtp.hostname or "",
            port=smtp.port,
            security="none",
            sender=FROM,
            nickname=NICKNAME,
        )
        self.mailer = SmtpMailer(settings, clock=SystemClock(), tokens=FakeTokens(mark))
        self._url = web_url.rstrip("/")
        self._web = web
        self._mark = mark

    async def received(self, count: int) -> list[Received]:
        """The mails, when so many are there."""
        async with asyncio.timeout(_PATIENCE):
            while len(ours := await self.ids()) < count:  # noqa: ASYNC110 - it does not tell
                await asyncio.sleep(0.05)
        assert len(ours) == count
        sources = [await self._web.get(f"{self._url}/email/{each}/source") for each in ours]
        return [parsed(each.content) for each in sources]

    async def ids(self) -> list[str]:
        """The ids of this test's mails."""
        reply = await self._web.get(f"{self._url}/email")
        reply.raise_for_status()
        return [
            str(mail["id"])
            for mail in reply.json()
            if any(self._mark in to["address"] for to in mail["to"])
        ]

    async def clear(self) -> None:
        """Take this test's mails away."""
        for each in await self.ids():
            await self._web.delete(f"{self._url}/email/{each}")


@asynccontextmanager
async def web_mailbox(smtp_url: str, web_url: str, mark: str) -> AsyncIterator[WebMailbox]:
    """A mailbox in maildev, with nothing left in it afterwards."""
    async with httpx.AsyncClient(timeout=5) as web:
        mailbox = WebMailbox(smtp_url, web_url, web, mark)
        try:
            yield mailbox
        finally:
            await mailbox.clear()


def new_mark() -> str:
    """What no other test has in its addresses."""
    return uuid.uuid4().hex


def parsed(source: bytes) -> Received:
    """A mail as a reader's program shows it."""
    message: EmailMessage = email.message_from_bytes(source, policy=email.policy.default)
    text, html = message.get_body(("plain",)), message.get_body(("html",))
    return Received(
        to=tuple(each.addr_spec for each in message["To"].addresses),
        subject=str(message["Subject"]),
        text=_content(text),
        html=_content(html),
        attachments=tuple(
            (each.get_filename() or "", each.get_content_type(), _decoded(each))
            for each in message.iter_attachments()
        ),
        headers={name: str(value) for name, value in message.items()},
        sender=" ".join(
            f"{each.display_name} <{each.addr_spec}>" for each in message["From"].addresses
        ),
    )


def _content(part: Any) -> str:
    return "" if part is None else str(part.get_content()).replace("\r\n", "\n")


def _decoded(part: Any) -> bytes:
    return bytes(part.get_payload(decode=True))

"""What only a mailer on SMTP can get wrong: connections, logins, certificates, hanging."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
import uvloop

from pkg.clock import SystemClock
from pkg.config import Secret
from pkg.email import Mail, MailDeferredError, MailRefusedError, MailServerError
from pkg.email.smtp import SmtpMailer
from pkg.tokens import FakeTokens
from tests.contract.certificates import Certificate, certificate
from tests.contract.mailboxes import SmtpMailbox

if TYPE_CHECKING:
    from pathlib import Path

    from pkg.email.settings import Security

MOMENT = timedelta(milliseconds=200)
MAIL = Mail(to=("ops@example.com",), subject="s", text="t\n")


def mailer_of(mailbox: SmtpMailbox, **changes: Any) -> SmtpMailer:
    return SmtpMailer(mailbox.settings(**changes), clock=SystemClock(), tokens=FakeTokens())


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return certificate(tmp_path_factory.mktemp("smtp-certificate"))


async def test_a_batch_uses_one_connection() -> None:
    async with SmtpMailbox().running() as mailbox:
        async with mailbox.mailer.batch() as batch:
            for _ in range(3):
                await batch.send(MAIL)

        assert (mailbox.connections, len(mailbox.mails)) == (1, 3)


async def test_every_mail_has_a_message_id_of_its_own() -> None:
    async with SmtpMailbox().running() as mailbox:
        mailer = mailbox.mailer
        await mailer.send(MAIL)
        await mailer.send(MAIL)

        first, second = [each.headers["Message-ID"] for each in await mailbox.received(2)]
        assert first.endswith("@example.com>")
        assert first != second


async def test_a_server_that_is_not_there_is_told_at_once() -> None:
    async with SmtpMailbox().running() as mailbox:
        mailer = mailbox.mailer

    with pytest.raises(MailServerError, match="SMTPConnectError"):
        await mailer.send(MAIL)


async def test_a_server_that_never_answers_costs_the_deadline_and_no_more() -> None:
    async with SmtpMailbox(answered=asyncio.Event()).running() as mailbox:
        for changes in ({"command_timeout": MOMENT}, {"send_timeout": MOMENT}):
            async with asyncio.timeout(5):
                with pytest.raises(MailServerError, match=r"imed out|not done within"):
                    await mailer_of(mailbox, **changes).send(MAIL)


async def test_a_server_that_does_not_greet_costs_the_deadline_and_no_more() -> None:
    hung = asyncio.Event()

    async def hang(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await hung.wait()
        writer.close()

    server = await asyncio.start_server(hang, "127.0.0.1", 0)
    mailbox = SmtpMailbox(port=server.sockets[0].getsockname()[1])
    async with asyncio.timeout(5):
        with pytest.raises(MailServerError, match="imed out"):
            await mailer_of(mailbox, connect_timeout=MOMENT).send(MAIL)
    hung.set()
    server.close()
    await server.wait_closed()


async def test_what_is_no_smtp_is_no_server() -> None:
    async def web(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(web, "127.0.0.1", 0)
    mailbox = SmtpMailbox(port=server.sockets[0].getsockname()[1])
    with pytest.raises(MailServerError):
        await mailbox.mailer.send(MAIL)
    server.close()
    await server.wait_closed()


async def test_a_batch_connects_again_after_the_server_hung_up() -> None:
    async with SmtpMailbox(answer="421 shutting down").running() as mailbox:
        async with mailbox.mailer.batch() as batch:
            with pytest.raises(MailServerError, match="421"):
                await batch.send(MAIL)
            mailbox.answer = "250 OK"
            await batch.send(MAIL)

        assert (mailbox.connections, len(mailbox.mails)) == (2, 1)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ("452 no space", MailDeferredError),
        ("552 too large", MailRefusedError),
        ("554 looks like spam", MailRefusedError),
        ("299 what?", MailServerError),
    ],
)
async def test_what_the_server_says_of_the_content_is_told(
    answer: str, error: type[Exception]
) -> None:
    async with SmtpMailbox(answer=answer).running() as mailbox:
        with pytest.raises(error, match=answer[:3]):
            await mailbox.mailer.send(MAIL)


async def test_a_wrong_password_is_told_without_the_password(signed: Certificate) -> None:
    async with SmtpMailbox("starttls", signed, with_login=True).running() as mailbox:
        mailer = mailer_of(mailbox, password=Secret("hunter2"))

        with pytest.raises(MailServerError, match="535") as caught:
            await mailer.send(MAIL)

        assert "hunter2" not in str(caught.value)
        assert mailbox.mails == []


@pytest.mark.parametrize("security", ["starttls", "tls"])
async def test_a_certificate_that_nobody_vouches_for_is_not_trusted(
    security: Security, signed: Certificate
) -> None:
    async with SmtpMailbox(security, signed, with_login=True).running() as mailbox:
        with pytest.raises(MailServerError, match="CERTIFICATE_VERIFY_FAILED"):
            await mailer_of(mailbox, ca_file=None).send(MAIL)

        assert mailbox.mails == []


@pytest.mark.parametrize("security", ["starttls", "tls"])
async def test_a_certificate_of_another_host_is_not_trusted(
    security: Security, tmp_path: Path
) -> None:
    other = certificate(tmp_path, host="127.0.0.2")
    async with SmtpMailbox(security, other).running() as mailbox:
        with pytest.raises(MailServerError, match="IP address mismatch"):
            await mailbox.mailer.send(MAIL)


async def test_a_server_without_starttls_gets_neither_password_nor_mail(
    signed: Certificate,
) -> None:
    async with SmtpMailbox("none").running() as mailbox:
        mailer = mailer_of(
            mailbox, security="starttls", ca_file=signed.authority, user="u", password=Secret("p")
        )
        with pytest.raises(MailServerError, match="STARTTLS"):
            await mailer.send(MAIL)

        assert mailbox.mails == []


async def given_up() -> None:
    async with SmtpMailbox(answered=asyncio.Event()).running() as mailbox:
        sending = asyncio.create_task(mailbox.mailer.send(MAIL))
        await mailbox.asked.wait()
        sending.cancel()
        await asyncio.wait({sending})

        assert sending.cancelled()
        async with asyncio.timeout(5):
            await mailbox.left.wait()


async def test_a_mail_that_is_given_up_leaves_no_connection() -> None:
    await given_up()


def test_a_mail_that_is_given_up_leaves_no_connection_on_uvloop_either() -> None:
    uvloop.run(given_up())


async def test_a_ca_file_that_cannot_be_used_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("no certificate")
    for name in ("ca.pem", "nothing.pem"):
        mailbox = SmtpMailbox("tls", port=465)
        with pytest.raises(ValueError, match=f"{name} cannot be used"):
            mailer_of(mailbox, ca_file=tmp_path / name)

"""What every mailer does."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import pytest

from pkg.email import Attachment, Mail, MailDeferredError, MailRefusedError
from tests.contract import servers
from tests.contract.certificates import Certificate, certificate
from tests.contract.mailboxes import (
    FROM,
    NICKNAME,
    Mailbox,
    MemoryMailbox,
    SmtpMailbox,
    new_mark,
    web_mailbox,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from pkg.email.settings import Security

MEMORY, PLAIN, STARTTLS, TLS, SERVER = "memory", "plain", "starttls", "tls", "server"
EMBEDDED = (MEMORY, PLAIN, STARTTLS, TLS)
SECURITY: dict[str, Security] = {PLAIN: "none", STARTTLS: "starttls", TLS: "tls"}


@pytest.fixture(scope="session")
def signed(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return certificate(tmp_path_factory.mktemp("certificate"))


@pytest.fixture
def mark() -> str:
    return new_mark()


@pytest.fixture(params=(*EMBEDDED, pytest.param(SERVER, marks=pytest.mark.integration)))
async def mailbox(
    request: pytest.FixtureRequest, signed: Certificate, mark: str
) -> AsyncIterator[Mailbox]:
    if request.param == SERVER:
        smtp, web = (servers.address(name) for name in ("TEST_SMTP_URL", "TEST_MAILBOX_URL"))
        async with web_mailbox(smtp, web, mark) as real:
            yield real
        return
    async with embedded(request.param, signed) as made:
        yield made


@pytest.fixture(params=EMBEDDED)
async def refusing(
    request: pytest.FixtureRequest, signed: Certificate
) -> AsyncIterator[MemoryMailbox | SmtpMailbox]:
    """A mailbox that can be told to refuse, which a real one cannot."""
    async with embedded(request.param, signed) as made:
        yield made


def embedded(kind: str, signed: Certificate) -> Any:
    if kind == MEMORY:
        return nullcontext(MemoryMailbox())
    security = SECURITY[kind]
    secure = security != "none"
    return SmtpMailbox(security, signed if secure else None, with_login=secure).running()


def mail(mark: str, *names: str, **changes: Any) -> Mail:
    to = tuple(f"{name}-{mark}@example.com" for name in names or ("ops",))
    facts: dict[str, Any] = {"to": to, "subject": "hello", "text": "one line\n"}
    return Mail(**(facts | changes))


async def test_a_mail_arrives_as_it_was_sent(mailbox: Mailbox, mark: str) -> None:
    sent = mail(
        mark,
        subject="panic-login failed(user)",
        text="first\n\n.a dot\n..two\nFrom here on\n",
        html="<p>first</p>\n",
        headers={"Auto-Submitted": "auto-generated"},
        message_id=f"<{mark}@example.com>",
    )

    assert await mailbox.mailer.send(sent) == ()

    (got,) = await mailbox.received(1)
    assert (got.to, got.subject, got.text, got.html) == (
        sent.to,
        sent.subject,
        sent.text,
        sent.html,
    )
    assert got.headers["Auto-Submitted"] == "auto-generated"
    assert got.headers["Message-ID"] == sent.message_id
    assert got.attachments == ()
    assert got.sender == f"{NICKNAME} <{FROM}>"


async def test_every_script_arrives(mailbox: Mailbox, mark: str) -> None:
    words = "登录失败 – naïve 🙈 " * 20
    await mailbox.mailer.send(
        mail(
            mark,
            subject=words.strip(),
            text=f"{words}\n",
            html=f"<p>{words}</p>\n",
            attachments=(Attachment("堆栈.txt", words.encode(), "text/plain"),),
        )
    )

    (got,) = await mailbox.received(1)
    assert (got.subject, got.text, got.html) == (words.strip(), f"{words}\n", f"<p>{words}</p>\n")
    assert got.attachments == (("堆栈.txt", "text/plain", words.encode()),)


async def test_attachments_arrive_byte_by_byte(mailbox: Mailbox, mark: str) -> None:
    every_byte = bytes(range(256)) * 256
    attachments = (
        Attachment("profile.pb.gz", every_byte, "application/gzip"),
        Attachment("empty.bin", b""),
        Attachment("stacks.txt", b"a\r\nb\nc", "text/plain"),
    )
    await mailbox.mailer.send(mail(mark, attachments=attachments))

    (got,) = await mailbox.received(1)
    assert got.attachments == tuple((a.name, a.media_type, a.content) for a in attachments)
    assert got.text == "one line\n"


async def test_lines_may_be_longer_than_smtp_allows(mailbox: Mailbox, mark: str) -> None:
    long = "x" * 5000 + "\n"
    await mailbox.mailer.send(mail(mark, text=long, html=long))

    (got,) = await mailbox.received(1)
    assert (got.text, got.html) == (long, long)


async def test_every_recipient_is_named(mailbox: Mailbox, mark: str) -> None:
    sent = mail(mark, "ops", "dev", "boss")
    await mailbox.mailer.send(sent)

    (got,) = await mailbox.received(1)
    assert got.to == sent.to


async def test_a_batch_arrives_in_order(mailbox: Mailbox, mark: str) -> None:
    async with mailbox.mailer.batch() as batch:
        for number in range(5):
            assert await batch.send(mail(mark, subject=f"number {number}")) == ()

    assert sorted(got.subject for got in await mailbox.received(5)) == [
        f"number {number}" for number in range(5)
    ]


async def test_an_empty_batch_sends_nothing(mailbox: Mailbox) -> None:
    async with mailbox.mailer.batch():
        pass

    assert await mailbox.received(0) == []


async def test_a_batch_that_is_given_up_leaves_what_was_sent(mailbox: Mailbox, mark: str) -> None:
    async def half() -> None:
        async with mailbox.mailer.batch() as batch:
            await batch.send(mail(mark))
            raise KeyError("something else went wrong")

    with pytest.raises(KeyError):
        await half()

    assert len(await mailbox.received(1)) == 1


async def test_a_recipient_who_is_refused_does_not_keep_others_from_it(
    refusing: MemoryMailbox | SmtpMailbox, mark: str
) -> None:
    sent = mail(mark, "ops", "gone", "full")
    refusing.refuse(sent.to[1], 550)
    refusing.refuse(sent.to[2], 452)

    refusals = await refusing.mailer.send(sent)

    assert [(each.recipient, each.code, each.temporary) for each in refusals] == [
        (sent.to[1], 550, False),
        (sent.to[2], 452, True),
    ]
    assert len(await refusing.received(1)) == 1


async def test_a_mail_that_nobody_may_have_is_refused(
    refusing: MemoryMailbox | SmtpMailbox, mark: str
) -> None:
    sent = mail(mark, "gone", "moved")
    refusing.refuse(sent.to[0], 550)
    refusing.refuse(sent.to[1], 551)

    with pytest.raises(MailRefusedError, match="550 no") as caught:
        await refusing.mailer.send(sent)

    assert [each.code for each in caught.value.refusals] == [550, 551]
    assert await refusing.received(0) == []


async def test_a_mail_that_somebody_may_have_later_is_deferred(
    refusing: MemoryMailbox | SmtpMailbox, mark: str
) -> None:
    sent = mail(mark, "gone", "full")
    refusing.refuse(sent.to[0], 550)
    refusing.refuse(sent.to[1], 450)

    with pytest.raises(MailDeferredError) as caught:
        await refusing.mailer.send(sent)

    assert [each.temporary for each in caught.value.refusals] == [False, True]


async def test_a_batch_goes_on_after_a_mail_that_was_refused(
    refusing: MemoryMailbox | SmtpMailbox, mark: str
) -> None:
    bad, good = mail(mark, "gone"), mail(mark, "ops")
    refusing.refuse(bad.to[0], 550)

    async with refusing.mailer.batch() as batch:
        with pytest.raises(MailRefusedError):
            await batch.send(bad)
        await batch.send(good)

    assert [got.to for got in await refusing.received(1)] == [good.to]

"""What a mail may be, and that nothing in it can become something else."""

from __future__ import annotations

import email
import email.policy
from datetime import UTC, datetime
from email.header import decode_header, make_header
from typing import Any

import pytest

from pkg.email import Attachment, EmailSettings, Mail, MailServerError, MemoryMailer
from pkg.email.message import message_of

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def mail(**changes: Any) -> Mail:
    facts: dict[str, Any] = {"to": ("ops@example.com",), "subject": "s", "text": "t"}
    return Mail(**(facts | changes))


@pytest.mark.parametrize(
    "address",
    [
        "",
        "ops",
        "@example.com",
        "ops@",
        "ops@example.com\r\nRCPT TO:<evil@example.com>",
        "ops@example.com\n",
        "a b@example.com",
        "Ops <ops@example.com>",
        '"quoted"@example.com',
        "ops@exa mple.com",
        "ops@-example.com",
        "ops@example..com",
        "o..ps@example.com",
        "ops@example.com>",
        "ops@例子.com",
        "o" * 65 + "@example.com",
    ],
)
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match="not a mail address"):
        mail(to=(address,))


@pytest.mark.parametrize("address", ["a@b", "first.last+tag@mail.example.co.uk", "x_y-z@1.example"])
def test_an_address_is_taken(address: str) -> None:
    assert mail(to=(address,)).to == (address,)


def test_a_mail_needs_a_recipient() -> None:
    with pytest.raises(ValueError, match="recipient"):
        mail(to=())


@pytest.mark.parametrize("end", ["\r\n", "\n", "\r", "\x00", "\x0b", "\x85", "\u2028"])
def test_headers_have_no_line_breaks(end: str) -> None:
    injected = f"hello{end}Bcc: evil@example.com"

    with pytest.raises(ValueError, match="one line"):
        mail(subject=injected)
    with pytest.raises(ValueError, match="one line"):
        mail(headers={"X-Topic": injected})
    with pytest.raises(ValueError, match="not a header"):
        mail(headers={f"X-Topic{end}Bcc": "evil@example.com"})
    with pytest.raises(ValueError, match="not a message id"):
        mail(message_id=f"<1@example.com>{end}Bcc: evil@example.com")


@pytest.mark.parametrize("name", ["Bcc", "to", "FROM", "Content-Type", "Message-ID", "a b", ""])
def test_headers_that_are_ours_cannot_be_given(name: str) -> None:
    with pytest.raises(ValueError, match="not a header"):
        mail(headers={name: "x"})


def test_names_and_types_of_attachments_stay_within_their_header() -> None:
    evil = Attachment(
        'x"\r\nBcc: evil@example.com\r\n../../etc/passwd', b"1", "text/plain\r\nBcc: e@example.com"
    )
    nested = Attachment("\x00", b"2", "message/rfc822")

    read = round_trip(mail(attachments=(evil, nested)))

    first, second = read.iter_attachments()
    assert read["Bcc"] is None
    assert first["Bcc"] is None
    assert first.get_filename() == 'x"__Bcc: evil@example.com__.._.._etc_passwd'
    assert first.get_content_type() == "application/octet-stream"
    assert (second.get_filename(), second.get_content()) == ("_", b"2")


def test_a_text_that_is_attached_is_read_in_its_charset() -> None:
    text = Attachment("stacks.txt", "堆栈".encode(), "text/plain; charset=utf-8")

    (read,) = round_trip(mail(attachments=(text,))).iter_attachments()

    assert read.get_content_type() == "text/plain"
    assert read.get_content().strip() == "堆栈"


def test_halves_of_surrogate_pairs_do_not_stop_a_mail() -> None:
    read = round_trip(mail(subject="a\ud800b", text="c\udfffd\n", html="<p>\ud800</p>\n"))

    assert read["Subject"] == "a?b"
    text = read.get_body(("plain",))
    assert text is not None
    assert text.get_content().strip() == "c?d"


def test_every_line_fits_into_smtp() -> None:
    subject = ("登录 失败 – " * 40).strip()
    nickname = ("用户 服务 – " * 8).strip()
    source = message_of(
        mail(subject=subject, text="长" * 3000, message_id="<1@example.com>"),
        sender="robot@example.com",
        nickname=nickname,
        now=NOW,
    ).as_bytes()

    assert source.isascii()
    assert max(map(len, source.split(b"\r\n"))) <= 998
    read = email.message_from_bytes(source, policy=email.policy.default)
    assert str(read["Subject"]) == subject
    # The reader above adds spaces between encoded words of a name; the older one does not.
    sender = email.message_from_bytes(source)["From"]
    assert str(make_header(decode_header(sender))) == f"{nickname} <robot@example.com>"
    assert read["Date"].datetime == NOW


def round_trip(sent: Mail) -> Any:
    source = message_of(sent, sender="robot@example.com", nickname="", now=NOW).as_bytes()
    return email.message_from_bytes(source, policy=email.policy.default)


async def test_a_mailer_in_memory_fails_as_it_is_told_and_forgets_the_oldest() -> None:
    mailer = MemoryMailer(capacity=2)
    mailer.failure = MailServerError("away")
    with pytest.raises(MailServerError, match="away"):
        await mailer.send(mail())
    mailer.failure = None
    for subject in ("1", "2", "3"):
        await mailer.send(mail(subject=subject))

    assert [each.subject for each in mailer.sent] == ["2", "3"]


def settings(**changes: Any) -> EmailSettings:
    facts = {"host": "mail.example.com", "from": "robot@example.com"}
    return EmailSettings.model_validate(facts | changes, by_alias=True, by_name=False)


def test_without_a_host_there_is_no_mail() -> None:
    assert EmailSettings().host == ""


@pytest.mark.parametrize(("security", "port"), [("starttls", 587), ("tls", 465), ("none", 25)])
def test_the_port_follows_from_the_security(security: str, port: int) -> None:
    assert settings(security=security).port_or_default() == port
    assert settings(security=security, port=2525).port_or_default() == 2525


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"from": None}, "needs a sender"),
        ({"from": "robot"}, "a mail address looks like"),
        ({"user": "robot"}, "come together"),
        ({"password": "secret"}, "come together"),
        ({"user": "robot", "password": "secret", "security": "none"}, "in the clear"),
        ({"host": "mail.example.com:25"}, "without a port"),
        ({"host": "a..b"}, "without a port"),
        ({"nickname": "a\nBcc: b"}, "one line"),
        ({"security": "ssl"}, "security"),
        ({"hello": "a b"}, "hello"),
        ({"sendTimeout": "0s"}, "sendTimeout"),
    ],
)
def test_settings_that_do_not_fit_are_refused(changes: dict[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        settings(**changes)


def test_a_password_may_go_in_the_clear_to_this_host_and_is_never_shown() -> None:
    made = settings(host="127.0.0.1", security="none", user="robot", password="secret")

    assert "secret" not in repr(made)
    assert "secret" not in made.model_dump_json()

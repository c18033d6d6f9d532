"""A mail as the bytes that a server is given."""

from __future__ import annotations

import re
from email.header import Header
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import EmailPolicy
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from datetime import datetime

    from pkg.email.mail import Attachment, Mail

_MEDIA_TYPE: Final = re.compile(r"([\w.+-]+)/([\w.+-]+)(?:; *charset=([\w-]+))?", re.ASCII)
_NOT_IN_A_NAME: Final = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029/\\]")


class _Policy(EmailPolicy):
    """Folds texts that are not ASCII as one: the library's own way loses and adds spaces.

    Its `fold` takes words in and out of encoding one by one, and forgets what is between them now
    and then (seen with Chinese, dashes and emoji in long subjects and names).
    """

    def fold_binary(self, name: str, value: Any) -> bytes:
        """The header as lines."""
        if str(value).isascii() or name.lower() in _OF_A_PART:
            return super().fold_binary(name, value)
        text, rest = str(value), ""
        if name == "From":
            (address,) = value.addresses
            text, rest = address.display_name, f" <{address.addr_spec}>"
        encoded = Header(text, "utf-8", header_name=name).encode(linesep=self.linesep)
        return f"{name}: {encoded}{rest}{self.linesep}".encode("ascii")


_OF_A_PART: Final = frozenset({"content-disposition", "content-type"})
_POLICY: Final = _Policy(linesep="\r\n", cte_type="7bit")
"""Goes through every server, whatever it can do."""


def message_of(mail: Mail, *, sender: str, nickname: str, now: datetime) -> EmailMessage:
    """Write the mail.

    Args:
        mail: with its message id.
        sender: the address that it is from.
        nickname: shown with the address.
        now: when it is sent.
    """
    message = EmailMessage(policy=_POLICY)
    message["From"] = Address(_utf8(nickname), addr_spec=sender)
    message["To"] = [Address(addr_spec=each) for each in mail.to]
    message["Subject"] = _utf8(mail.subject)
    message["Date"] = now
    message["Message-ID"] = mail.message_id
    for name, value in mail.headers.items():
        message[name] = _utf8(value)
    message.set_content(_utf8(mail.text))
    if mail.html:
        message.add_alternative(_utf8(mail.html), subtype="html")
    for each in mail.attachments:
        _attach(message, each)
    return message


def _attach(message: EmailMessage, attachment: Attachment) -> None:
    found = _MEDIA_TYPE.fullmatch(attachment.media_type)
    main, sub, charset = found.groups() if found else ("application", "octet-stream", None)
    if main in ("message", "multipart"):  # would have to be parsed and be well-formed
        main, sub = "application", "octet-stream"
    message.add_attachment(
        attachment.content,
        maintype=main,
        subtype=sub,
        filename=_NOT_IN_A_NAME.sub("_", _utf8(attachment.name)) or "attachment",
        params={"charset": charset} if charset else None,
    )


def _utf8(text: str) -> str:
    """The text without what UTF-8 has no bytes for: halves of surrogate pairs."""
    return text.encode("utf-8", "replace").decode()

"""The port: a mail, and who takes it to the mail server."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol

from pkg.email.address import is_address

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import AbstractAsyncContextManager

    from pkg.email.errors import Refusal

_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]")
_HEADER: Final = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,75}", re.ASCII)
_MESSAGE_ID: Final = re.compile(r"<[^\s<>@]+@[^\s<>@]+>", re.ASCII)
_OURS: Final = frozenset(
    {"from", "to", "cc", "bcc", "sender", "reply-to", "subject", "date", "message-id",
     "mime-version"}
)  # fmt: skip
"""Headers that follow from the mail and the settings. Those of the content cannot be set either."""


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that goes along."""

    name: str
    content: bytes
    media_type: str = "application/octet-stream"
    """May say a charset, as in `text/plain; charset=utf-8`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """What is sent, and to whom. One that exists can be written to a server as it is.

    Raises:
        ValueError: no recipient, an address that is none, a line break or another control
            character in the subject or in a header, a header that is ours.
    """

    to: tuple[str, ...]
    """Addresses alone, without names."""
    subject: str
    text: str
    html: str = ""
    """Shown in place of the text by who can; may be empty."""
    attachments: tuple[Attachment, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    """Beyond those that every mail has."""
    message_id: str = ""
    """`<unique@domain>`; one is made up if empty. Whoever tries again keeps it, so that mailboxes
    can see that two are one."""

    def __post_init__(self) -> None:
        """Refuse what could not be sent, or would be read as something else."""
        if not self.to:
            raise ValueError("a mail needs a recipient")
        for address in self.to:
            if not is_address(address):
                raise ValueError(f"not a mail address: {address!r}")
        if _CONTROL.search(self.subject):
            raise ValueError("a subject is one line")
        if self.message_id and not _MESSAGE_ID.fullmatch(self.message_id):
            raise ValueError(f"not a message id: {self.message_id!r}")
        for name, value in self.headers.items():
            ours = name.lower() in _OURS or name.lower().startswith("content-")
            if ours or not _HEADER.fullmatch(name):
                raise ValueError(f"not a header that a mail may be given: {name!r}")
            if _CONTROL.search(value):
                raise ValueError(f"the header {name} is one line")


class Sender(Protocol):
    """Sends mails one after the other. Belongs to one task."""

    async def send(self, mail: Mail) -> tuple[Refusal, ...]:
        """Hand a mail to the server; returns the recipients that it refused while it took others.

        After an error the next mail may be sent all the same.

        Raises:
            MailServerError: there is no talking with the server. If it went away in the middle, it
                may have taken the mail nevertheless.
            MailDeferredError: the server does not take it now.
            MailRefusedError: the server will not take it.
        """
        ...


class Mailer(Protocol):
    """Where mails go."""

    async def send(self, mail: Mail) -> tuple[Refusal, ...]:
        """Send one mail, as `Sender.send` does."""
        ...

    def batch(self) -> AbstractAsyncContextManager[Sender]:
        """Send several over one connection, which is opened for the first.

        Entering and leaving raise no `MailError`.
        """
        ...

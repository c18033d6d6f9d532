"""Mail: a port, and what it carries. The adapter to a mail server is `pkg.email.smtp`."""

from pkg.email.errors import (
    MailDeferredError,
    MailError,
    MailRefusedError,
    MailServerError,
    Refusal,
)
from pkg.email.mail import Attachment, Mail, Mailer, Sender
from pkg.email.memory import MemoryMailer
from pkg.email.settings import EmailSettings

__all__ = [
    "Attachment",
    "EmailSettings",
    "Mail",
    "MailDeferredError",
    "MailError",
    "MailRefusedError",
    "MailServerError",
    "Mailer",
    "MemoryMailer",
    "Refusal",
    "Sender",
]

"""Writes the mail of a letter."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pkg.alert.bounds import MAX_TITLE, one_line
from pkg.alert.texts import TEXTS
from pkg.email.mail import Mail
from pkg.email.template import MailTemplate

if TYPE_CHECKING:
    from pkg.alert.letter import Letter
    from pkg.alert.settings import Language
    from pkg.log import Identity
    from pkg.tokens import Tokens


class Writer:
    """Says which process an alert comes from. Any thread may use it."""

    def __init__(
        self, language: Language, identity: Identity, *, host: str, domain: str, tokens: Tokens
    ) -> None:
        """Read the templates.

        Args:
            language: of the words around an alert.
            identity: of the process.
            host: that it runs on.
            domain: of message ids.
            tokens: makes message ids.
        """
        self._language = language
        self._texts = TEXTS[language]
        self._identity = identity
        self._host = host
        self._domain = domain
        self._tokens = tokens
        self._template = MailTemplate("pkg.alert", "alert")

    def mail(self, letter: Letter) -> Mail:
        """The mail, with an id to try it again under."""
        app, alert = self._identity.service, letter.alert
        title = alert.title if alert else self._texts.held_back.format(letter.alerts)
        text, html = self._template.render(
            {
                "language": self._language,
                "heading": title,
                "fields": self._fields(letter),
                "notes": self._notes(letter),
                "rows": letter.kinds,
                "detail": alert.detail if alert else "",
            }
        )
        return Mail(
            to=letter.topic.to,
            subject=one_line(f"{letter.topic.subject}-{title}({app})", 2 * MAX_TITLE),
            text=text,
            html=html,
            attachments=alert.attachments if alert else (),
            headers={"Auto-Submitted": "auto-generated"},  # no notices of absence, please
            message_id=f"<{self._tokens.hex()}@{self._domain}>",
        )

    def _fields(self, letter: Letter) -> list[tuple[str, str]]:
        texts, identity, alert = self._texts, self._identity, letter.alert
        fields = [
            (texts.time, f"{letter.at:%Y-%m-%d %H:%M:%S} UTC"),
            (texts.app, f"{identity.service} {identity.version}"),
            (texts.env, identity.env),
            (texts.host, self._host),
            (texts.topic, alert.topic if alert else letter.topic.name),
            (texts.trace_id, alert.trace_id if alert else ""),
            (texts.count, str(letter.alerts)),
        ]
        return [(label, value) for label, value in fields if value]

    def _notes(self, letter: Letter) -> list[str]:
        texts = self._texts
        notes = [
            texts.cut.format(each.name, each.kept, each.size)
            if each.kept
            else texts.left_out.format(each.name, each.size)
            for each in letter.shortened
        ]
        if letter.others:
            notes.append(texts.others.format(letter.others))
        if letter.last_today:
            notes.append(texts.last_today.format(letter.topic.name))
        return notes

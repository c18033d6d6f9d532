"""Who hears of what, how often, and what may wait."""
# The annotations below are read at run time, so they are not deferred.

from datetime import timedelta
from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from pkg.backoff import BackoffSettings
from pkg.breaker import BreakerSettings
from pkg.config import ByteSize, Duration, Settings
from pkg.email.address import Address

Language = Literal["en", "zh"]


class TopicSettings(Settings):
    """Who hears of the alerts of one topic."""

    name: str = Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_.-]+$")
    subject: str = Field(min_length=1, max_length=100)
    """What the subjects of its mails begin with."""
    to: tuple[Address, ...] = Field(min_length=1, max_length=50)

    @field_validator("subject")
    @classmethod
    def _one_line(cls, text: str) -> str:
        if not text.isprintable():
            raise ValueError("a subject is one line")
        return text


class AlertSettings(Settings):
    """Alerts by mail. Numbers are those of one process: replicas do not know of each other."""

    topics: tuple[TopicSettings, ...] = ()
    """Without any, alerts are only logged."""
    default_topic: str = "default"
    """Where alerts go whose topic is not listed. Must be, if any is."""
    language: Language = "en"
    """Of the words around an alert."""
    window: Duration = Field(default=timedelta(minutes=5), gt=timedelta())
    """Within it an alert is mailed once; repeats are counted, and mailed as one sum at its end."""
    burst: int = Field(default=10, ge=1)
    """Mails of one topic at once within a window; further alerts wait for the sum."""
    daily_cap: int = Field(default=200, ge=2)
    """Mails of one topic in a day (UTC). The last one says so; what is held back goes the next."""
    max_kinds: int = Field(default=500, ge=1)
    """Different alerts of a topic that are told apart in a window; further ones are a number."""
    max_waiting: int = Field(default=100, ge=1)
    """Mails that wait for the server. Beyond, alerts are held back for the sum."""
    max_detail: int = Field(default=65_536, ge=1024)
    """Characters of the detail; the middle of a longer one is left out."""
    max_attachments: ByteSize = Field(default=ByteSize.parse("5MiB"), ge=0)
    """Of one mail. Beyond, a text is cut and anything else left out, and the mail says so."""
    max_memory: ByteSize = Field(default=ByteSize.parse("32MiB"), ge=0)
    """Of all attachments that wait."""
    keep: Duration = Field(default=timedelta(hours=6), gt=timedelta())
    """How long a mail is tried for."""
    retry: BackoffSettings = BackoffSettings(
        first=timedelta(seconds=1), longest=timedelta(minutes=5)
    )
    """Between the tries of one mail."""
    breaker: BreakerSettings = BreakerSettings()
    """Around the mail server."""
    stop_timeout: Duration = Field(default=timedelta(seconds=5), gt=timedelta())
    """For what waits when the process stops. Less than `lifecycle.stopTimeout`."""

    @model_validator(mode="after")
    def _topics_are_clear(self) -> Self:
        names = [each.name for each in self.topics]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"topics are listed twice: {', '.join(twice)}")
        if names and self.default_topic not in names:
            raise ValueError(f'the default topic "{self.default_topic}" is not among the topics')
        return self

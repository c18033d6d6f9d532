"""What people get when the watchdog of the service finds something: a mail with the evidence."""

from __future__ import annotations

import json
import re
import uuid
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import httpx
import pytest

from tests.contract.mailboxes import parsed
from tests.contract.servers import address
from tests.e2e.browser import chromium, keep, shown
from tests.e2e.service import Service, eventually
from tests.unit.pkg.profile.reader import samples

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.e2e, pytest.mark.integration]

TITLE: Final = "threads"
"""What the subject of a mail about the number of threads has."""


class Mailbox:
    """The mails to one address in the real mailbox."""

    def __init__(self, client: httpx.Client, to: str) -> None:
        self._client = client
        self._to = to

    def ids(self, about: str) -> list[str]:
        """Of the mails whose subject says so; the watchdog may have found more than one thing."""
        mails = self._client.get("/email").raise_for_status().json()
        return [
            each["id"]
            for each in mails
            if self._to in (to["address"] for to in each["to"]) and about in each["subject"]
        ]

    def source(self, mail: str) -> bytes:
        """A mail as it came."""
        return self._client.get(f"/email/{mail}/source").raise_for_status().content

    def clear(self) -> None:
        """Take all of them away."""
        for mail in self.ids(""):
            self._client.delete(f"/email/{mail}")


def settings(to: str) -> dict[str, str]:
    """Under which any process has too many threads."""
    smtp = urlsplit(address("TEST_SMTP_URL"))
    topic = {"name": "holmes", "subject": "user-service", "to": [to]}
    return {
        "email.host": smtp.hostname or "",
        "email.port": str(smtp.port),
        "email.security": "none",
        "email.from": "robot@example.com",
        "alerts.topics": json.dumps([topic]),
        "alerts.defaultTopic": "holmes",
        "holmes.collectInterval": "200ms",
        "holmes.profile": "1s",
        "holmes.rules.threads.min": "1",
        "holmes.rules.threads.abs": "1",
    }


def test_a_finding_is_mailed_with_stacks_and_a_profile(tmp_path: Path) -> None:
    url = address("TEST_MAILBOX_URL")
    to = f"ops-{uuid.uuid4().hex[:8]}@example.com"
    with httpx.Client(base_url=url, trust_env=False, timeout=30) as client:
        mailbox = Mailbox(client, to)
        try:
            with Service(tmp_path / "service", settings(to)):
                eventually(lambda: bool(mailbox.ids(TITLE)), "the mail comes", seconds=60)
            (found,) = mailbox.ids(TITLE)
            mail = parsed(mailbox.source(found))
            with chromium(tmp_path / "profile") as driver:
                driver.set_window_size(1280, 600)
                driver.get(f"{url}/#/email/{found}")
                shown(driver, f".email-{found} .fa-paperclip")
                eventually(
                    lambda: shown(driver, ".email-meta .subject").text == mail.subject,
                    "the mail is shown",
                )
                driver.switch_to.frame(shown(driver, "iframe.panel-html"))
                assert "above abs 1" in shown(driver, "pre").text
                driver.switch_to.default_content()
                keep(driver, "holmes-mail")
        finally:
            mailbox.clear()

    assert mail.to == (to,)
    assert mail.subject == f"user-service-there are many {TITLE}(user)"
    (name, kind, dump), (profile_name, _, profile) = mail.attachments
    assert re.fullmatch(r"[0-9TZ.]+-\d+-threads\.txt", name)
    assert kind == "text/plain"
    text = dump.decode()
    assert "in GrpcServer._run\n" in text
    assert "MainThread" in text
    for loop in ("main", "grpc"):
        assert f"runs the loop {loop}" in text
        assert f"=== tasks of {loop} ===" in text
    assert profile_name == name.removesuffix(".txt") + ".pb.gz"
    assert any(each.labels["thread"] == "MainThread" for each in samples(profile))
    kept = tmp_path / "service" / ".data" / "holmes"
    assert (kept / f"holmes-{name}").read_bytes() == dump

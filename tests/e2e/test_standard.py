"""What the service has in common with every other: alerts, remote settings, registry, profiles."""

from __future__ import annotations

import gzip
from contextlib import contextmanager
from email import message_from_bytes, policy
from typing import TYPE_CHECKING, Any, Final

import httpx
import pytest
from aiosmtpd.controller import Controller

from scripts.servers.ports import free_port
from tests.contract.servers import address
from tests.e2e.service import Service, eventually

if TYPE_CHECKING:
    from collections.abc import Iterator
    from email.message import EmailMessage
    from pathlib import Path

pytestmark = pytest.mark.e2e

TOPICS: Final = '[{"name": "default", "subject": "layout", "to": ["ops@example.com"]}]'


class Mailbox:
    """What a mail server has taken."""

    def __init__(self) -> None:
        self._mails: list[EmailMessage] = []

    def about(self, what: str) -> list[EmailMessage]:
        """Mails with this in the subject; on a busy machine the watchdog has news of its own."""
        return [each for each in self._mails if what in each["subject"]]

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - the name that aiosmtpd calls
        self._mails.append(message_from_bytes(envelope.content, policy=policy.default))
        return "250 taken"


@contextmanager
def mail_server() -> Iterator[tuple[Mailbox, int]]:
    """A mail server of our own, and its port."""
    port = free_port()
    mailbox = Mailbox()
    controller: Any = Controller(mailbox, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        yield mailbox, port
    finally:
        controller.stop()


def test_a_change_of_the_settings_that_is_refused_is_mailed(tmp_path: Path) -> None:
    conf = tmp_path / "mine.yaml"
    conf.write_text("log: {level: info}\n", "utf-8")
    with mail_server() as (mailbox, port):
        settings = {
            "alerts.topics": TOPICS,
            "email.host": "127.0.0.1",
            "email.port": str(port),
            "email.security": "none",
            "email.from": "user@example.com",
        }
        with Service(tmp_path, settings, args=("--conf", str(conf))):
            conf.write_text("log: {level: loud}\n", "utf-8")
            eventually(lambda: bool(mailbox.about("configuration refused")), "a mail comes")
        (mail,) = mailbox.about("configuration refused")
    assert mail["to"] == "ops@example.com"
    assert mail["subject"].startswith("layout-")
    body = mail.get_body(("plain",))
    assert body is not None
    assert "log.level" in body.get_content()


def test_alerts_without_a_mail_server_are_refused_at_the_start(tmp_path: Path) -> None:
    service = Service(tmp_path, {"alerts.topics": TOPICS}).launch()
    assert service.wait() == 2, service.output()
    assert "email has no host" in service.said


def test_settings_come_from_a_mounted_folder_and_follow_it(tmp_path: Path) -> None:
    folder = tmp_path / "mounted"
    folder.mkdir()
    (folder / "conf.yaml").write_text("captcha: {ttl: 7m}\n", "utf-8")
    with Service(tmp_path, args=("--remote", f"dir://{folder}")) as service:
        shown = httpx.get(f"{service.admin}/config", trust_env=False).json()
        assert shown["captcha"]["ttl"] == "7m"
        (folder / "conf.yaml").write_text("captcha: {ttl: 8m}\n", "utf-8")
        eventually(
            lambda: (
                httpx.get(f"{service.admin}/config", trust_env=False).json()["captcha"]["ttl"]
                == "8m"
            ),
            "the change is seen",
        )


def test_the_admin_port_takes_profiles(tmp_path: Path) -> None:
    with (
        Service(tmp_path) as service,
        httpx.Client(base_url=service.admin, trust_env=False, timeout=30) as client,
    ):
        profile = client.get("/debug/pprof/profile", params={"seconds": "0.2"})
        assert profile.status_code == 200
        assert b"asyncio" in gzip.decompress(profile.content)
        assert "MainThread" in client.get("/debug/pprof/threads").text
        assert client.get("/debug/pprof/heap").status_code == 501


@pytest.mark.integration
def test_others_find_the_service_in_consul_while_it_serves(tmp_path: Path) -> None:
    consul = address("TEST_CONSUL_URL")

    def found() -> list[dict[str, Any]]:
        answer = httpx.get(f"{consul}/v1/health/service/user?passing=1", trust_env=False)
        return [each["Service"] for each in answer.json()]

    settings = {"registry.consul.url": consul, "registry.registration.address": "127.0.0.1"}
    with Service(tmp_path, settings) as service:
        http, grpc = (int(each.rpartition(":")[2]) for each in (service.http, service.grpc))
        ports = {"port-http": str(http), "port-grpc": str(grpc)}
        eventually(
            lambda: any(ports.items() <= each["Meta"].items() for each in found()),
            "it is registered",
        )
    assert not [each for each in found() if each["Meta"]["port-http"] == str(http)]

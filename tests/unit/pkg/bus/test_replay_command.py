"""`replay` on the command line."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from pkg.app.cli import Cli
from pkg.bus import Bus, Message, Producer
from pkg.bus.dead_letter import TOPIC
from pkg.bus.memory import MemoryBus
from pkg.bus.replay_command import replay_command
from pkg.clock import SystemClock
from pkg.config import Loaded, Settings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


class Shop(Settings):
    """A service without settings."""


class Desk:
    """A service whose bus holds dead letters when it is opened."""

    def __init__(self, folder: Path, *letters: Message, away: bool = False) -> None:
        (folder / "dev.yaml").write_text("{}")
        self._folder = folder
        self._letters = letters
        self._away = away
        self.sent: list[Message] = []

    @asynccontextmanager
    async def connect(self, _loaded: Loaded[Shop]) -> AsyncIterator[tuple[Bus, Producer]]:
        bus = MemoryBus(clock=SystemClock(), partitions=1)
        await bus.send(*self._letters)
        bus.away = self._away
        yield bus, bus
        self.sent = bus.messages("orders")

    def run(self, *arguments: str) -> int:
        cli = Cli(
            service="shop",
            version="1",
            settings=Shop,
            serve=lambda _loaded: 0,
            commands=[replay_command(self.connect)],
        )
        conf = ("--conf", str(self._folder))
        return cli.main(["replay", "orders.dead", *arguments, *conf], environ={})


def letter(value: bytes) -> Message:
    headers = ((TOPIC, b"orders"), ("message-id", b"id-" + value))
    return Message(topic="orders.dead", value=value, headers=headers)


def test_it_sends_up_to_the_limit_and_prints_what(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    desk = Desk(tmp_path, letter(b"1"), letter(b"2"), letter(b"3"))

    assert desk.run("--limit", "2") == 0

    assert [each.value for each in desk.sent] == [b"1", b"2"]
    assert capsys.readouterr().out.splitlines() == [
        "orders.dead/0@0 id-1 -> orders",
        "orders.dead/0@1 id-2 -> orders",
        "2 read, 2 sent again, 0 skipped",
    ]


def test_a_dry_run_sends_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    desk = Desk(tmp_path, letter(b"1"), Message(topic="orders.dead", value=b"stray"))

    assert desk.run("--limit", "2", "--dry-run") == 0

    assert desk.sent == []
    out = capsys.readouterr().out
    assert "does not say where it came from" in out
    assert "2 read, 0 sent again, 1 skipped" in out


def test_a_bus_that_does_not_answer_is_a_failure(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert Desk(tmp_path, away=True).run() == 1
    assert "replay: the bus is away" in capsys.readouterr().err


@pytest.mark.parametrize("limit", ["0", "-1", "many"])
def test_a_limit_is_a_positive_number(tmp_path: Path, limit: str) -> None:
    assert Desk(tmp_path).run("--limit", limit) == 2

"""What every service has, put together from its settings."""

from __future__ import annotations

import asyncio
import io
import logging
import re
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final

import httpx
import pytest
from prometheus_client import generate_latest
from pydantic import ValidationError

from pkg.alert import LoggedAlerts
from pkg.alert.mailed import MailedAlerts
from pkg.config import Loaded, Sources
from pkg.config.sections import LogSettings
from pkg.log import Identity, LoggedLines, setup
from pkg.log.direct import DirectLines
from pkg.service import Standard, StandardSettings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from pkg.log import LogHandle

SOON: Final = 30.0
"""Seconds: far more than it takes."""
NOBODY: Final = "http://127.0.0.1:1"
"""Where nobody listens."""
MAIL: Final[dict[str, Any]] = {
    "email": {"host": "127.0.0.1", "from": "shop@example.com"},
    "alerts": {"topics": [{"name": "default", "subject": "shop", "to": ["ops@example.com"]}]},
}


class Shelf:
    """A component of the service's own."""

    name = "shelf"

    async def start(self) -> None:
        """Nothing to do."""

    async def stop(self) -> None:
        """Nothing to do."""


def standard(
    directory: Path, log: LogHandle | None = None, **sections: Any
) -> Standard[StandardSettings]:
    settings = StandardSettings.model_validate(
        {"admin": {"port": 0}, "holmes": {"directory": directory / "dumps"}, **sections},
        by_alias=True,
        by_name=False,
    )
    loaded = Loaded(settings, "test", origin="", files=(), sources=Sources(service="shop"))
    return Standard(loaded, Identity("shop", "1.2", "test"), log=log)


@asynccontextmanager
async def running(
    made: Standard[StandardSettings], caplog: pytest.LogCaptureFixture
) -> AsyncIterator[list[str]]:
    """The whole process, with one component of its own; gives the names in starting order."""
    built = made.app([Shelf()], ports=lambda: {"http": 8000}, places=dict, credentials=lambda: None)
    with caplog.at_level(logging.INFO, "pkg.app.app"):
        run = asyncio.create_task(built.run())
        async with asyncio.timeout(SOON):
            while not (names := [n for r in caplog.records for n in getattr(r, "components", ())]):
                assert not run.done(), run.exception()
                await asyncio.sleep(0.01)
    try:
        yield names
    finally:
        built.stop()
        await run


def test_lines_of_calls_go_the_way_that_the_log_has_for_them(tmp_path: Path) -> None:
    manager = logging.Manager(logging.RootLogger(logging.WARNING))
    logger, identity = manager.getLogger("calls"), Identity("shop", "1.2", "test")
    told = LogSettings(format="json")
    with setup(told, identity, stream=io.StringIO(), manager=manager) as log:
        assert isinstance(standard(tmp_path, log).lines(logger), DirectLines)
    assert isinstance(standard(tmp_path).lines(logger), LoggedLines)


def test_without_topics_alerts_are_logged(tmp_path: Path) -> None:
    assert isinstance(standard(tmp_path).alerts, LoggedAlerts)


def test_with_topics_alerts_are_mailed(tmp_path: Path) -> None:
    assert isinstance(standard(tmp_path, **MAIL).alerts, MailedAlerts)


def test_topics_without_a_mail_server_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="email has no host"):
        standard(tmp_path, alerts=MAIL["alerts"])


async def test_consul_without_an_address_of_ours_registers_nobody(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    made = standard(tmp_path, registry={"consul": {"url": NOBODY}})
    async with running(made, caplog) as names:
        assert "registration" not in names


async def test_alerts_start_before_what_may_send_them_and_the_registry_hears_last(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    registry = {"consul": {"url": NOBODY}, "registration": {"address": "10.0.0.1"}}
    async with running(standard(tmp_path, registry=registry, **MAIL), caplog) as names:
        assert names[:2] == ["admin", "alerts"]
        assert names.index("config") < names.index("shelf") < names.index("holmes")
        assert names[-1] == "registration"


async def test_the_admin_port_tells_of_the_process(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    async with running(standard(tmp_path), caplog):
        found = re.search(r"Admin: (\S+)", capsys.readouterr().err)
        assert found is not None
        async with httpx.AsyncClient(base_url=found[1], trust_env=False) as client:
            ready = await client.get("/readyz")
            metrics = await client.get("/metrics")
            profiles = await client.get("/debug/pprof/")
    assert (ready.status_code, profiles.status_code) == (200, 200)
    assert "event_loop_lag_seconds" in metrics.text
    assert "rpc_calls_in_flight" in metrics.text


async def test_another_loop_is_measured_too(tmp_path: Path) -> None:
    made = standard(tmp_path)
    async with made.another_loop("grpc"):
        pass
    assert 'event_loop_lag_seconds_count{loop="grpc"}' in generate_latest(made.metrics).decode()

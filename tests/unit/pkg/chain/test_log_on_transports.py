"""The log over HTTP and gRPC: one line for a call, and nothing of what it carried."""

from __future__ import annotations

import logging

import pytest

from api.lab.v1 import Task
from pkg.clock import FakeClock
from pkg.errors import Fault
from pkg.log import LoggedLines
from pkg.middleware import authentication, log
from tests.unit.pkg.chain.transports import (
    CLIENT,
    Callers,
    Transport,
    every_transport,
    signed_in,
)

LOG = logging.getLogger("lab.log")
SECRET = "hunter2"


@every_transport
@pytest.mark.parametrize(
    ("error", "reason", "level"),
    [
        (None, "OK", logging.INFO),
        (Fault("PERMISSION_DENIED"), "PERMISSION_DENIED", logging.INFO),
        (Fault("UNAVAILABLE"), "UNAVAILABLE", logging.WARNING),
        (ValueError(SECRET), "INTERNAL", logging.WARNING),
    ],
)
async def test_a_call_is_one_line_with_who_and_how_it_ended(
    transport: Transport,
    error: Exception | None,
    reason: str,
    level: int,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, LOG.name)
    async with transport.serving(
        log(LoggedLines(LOG), FakeClock()), authentication(Callers())
    ) as lab:
        lab.service.error = error
        asked = Task(name="a", password=SECRET)
        assert (await lab.call("Mine", asked, headers=signed_in("alice"))).reason == reason

    (line,) = (each for each in caplog.records if each.name == LOG.name)
    assert (line.levelno, line.getMessage()) == (level, f"lab.v1.ChainService/Mine {reason}")
    told = {name: line.__dict__[name] for name in ("transport", "reason", "peer", "uid")}
    assert told == {
        "transport": transport.kind,
        "reason": reason,
        "peer": CLIENT,
        "uid": "alice",
    }
    assert SECRET not in str(line.__dict__)

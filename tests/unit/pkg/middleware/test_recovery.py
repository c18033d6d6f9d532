"""Nothing but faults and cancellation leaves the chain."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

import pytest

from pkg.errors import Fault
from pkg.middleware import log_error, recovery
from tests.unit.pkg.middleware.calls import Service, around, call

if TYPE_CHECKING:
    from pkg.rpc import Call


class Reports:
    def __init__(self) -> None:
        self.seen: list[Exception] = []

    def __call__(self, call: Call, error: Exception) -> None:
        self.seen.append(error)


async def test_a_reply_passes() -> None:
    assert await around(recovery(Reports()), Service("reply"))(call(), None) == "reply"


@pytest.mark.parametrize("defect", [ValueError("SELECT secret"), MemoryError(), TimeoutError()])
async def test_a_defect_becomes_internal_and_is_reported_once(defect: Exception) -> None:
    reports = Reports()

    with pytest.raises(Fault) as caught:
        await around(recovery(reports), Service(defect))(call(), None)

    assert (caught.value.reason, caught.value.detail) == ("INTERNAL", "")
    assert caught.value.__cause__ is defect
    assert reports.seen == [defect]


async def test_a_fault_passes_unreported() -> None:
    reports, fault = Reports(), Fault("LOGIN_FAILED")

    with pytest.raises(Fault) as caught:
        await around(recovery(reports), Service(fault))(call(), None)

    assert caught.value is fault
    assert reports.seen == []


@pytest.mark.parametrize("signal", [asyncio.CancelledError(), KeyboardInterrupt()])
async def test_what_ends_the_task_or_the_process_passes(signal: BaseException) -> None:
    reports = Reports()

    with pytest.raises(type(signal)):
        await around(recovery(reports), Service(signal))(call(), None)

    assert reports.seen == []


async def test_a_report_that_fails_changes_nothing_for_the_caller() -> None:
    def broken(call: Call, error: Exception) -> None:
        raise OSError("disk full")

    with pytest.raises(Fault, match="INTERNAL") as caught:
        await around(recovery(broken), Service(ValueError()))(call(), None)

    assert isinstance(caught.value.__cause__, OSError)


async def test_the_log_has_the_operation_and_the_stack(caplog: pytest.LogCaptureFixture) -> None:
    handler = around(recovery(log_error(logging.getLogger("t"))), Service(ValueError("why")))

    with pytest.raises(Fault):
        await handler(call(), None)

    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert record.getMessage() == "lab.v1.Lab/Do failed: ValueError"
    assert record.__dict__["operation"] == "lab.v1.Lab/Do"
    assert record.exc_info is not None
    assert "why" in caplog.text

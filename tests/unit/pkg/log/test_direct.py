"""Lines of calls: the quick way writes the very bytes of the long one, or leaves it to it."""

from __future__ import annotations

import io
import json
import logging
import math
import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pkg.config import ByteSize
from pkg.config.sections import LogSettings
from pkg.log import Identity, LoggedLines, LogHandle, Redactor, setup
from pkg.log.direct import DirectLines

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

IDENTITY = Identity("shop", "1.2", "test")
TIME = re.compile(r'"ts": ?"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"')
COMMON = {"operation": "lab.v1.Lab/Do", "transport": "http", "reason": "OK"}
OWN = {"ms": 1.25, "peer": "192.0.2.1", "uid": "u1"}
CALL = {"trace_id": "0" * 32, "request_id": "r1", "operation": "lab.v1.Lab/Do"}
AWKWARD = [
    "", '"', "\\", "a\nb\x00\x7f\u2028", "中文😀", "\ud800", "x" * 60, "中" * 60, "\ud800" * 60,
    "Bearer abcdefgh", "BASIC Zm9vYmFy", "baſic Zm9vYmFy", "bearer short", "an acrobasic word",
    "redis://me:pw@host/0", "://", "Bearer " + "a" * 60, "{", "%s %(x)s", "null",
]  # fmt: skip


class Desk:
    """Both ways, on one stream each, in the same call."""

    def __init__(self, identity: Identity = IDENTITY) -> None:
        self.call: Mapping[str, str] = CALL
        self.streams = io.StringIO(), io.StringIO()
        self.handles: list[LogHandle] = []
        self.loggers: list[logging.Logger] = []
        for stream in self.streams:
            manager = logging.Manager(logging.RootLogger(logging.WARNING))
            handle = setup(
                LogSettings(format="json", flush=timedelta(0), max_value=ByteSize(50)),
                identity,
                context=lambda: self.call,
                redactor=Redactor({"phone"}, max_text=50),
                stream=stream,
                manager=manager,
            )
            self.handles.append(handle)
            self.loggers.append(manager.getLogger("calls"))

    def written(
        self, message: str, common: Mapping[str, Any], own: Mapping[str, Any]
    ) -> tuple[str, str]:
        """What the quick way and the long way write, with the time made equal."""
        ways = self.handles[0].lines(self.loggers[0]), LoggedLines(self.loggers[1])
        texts = []
        for stream, lines in zip(self.streams, ways, strict=True):
            stream.seek(0)
            stream.truncate()
            lines.alike(logging.INFO, message, common)(own)
            texts.append(TIME.sub('"ts":""', stream.getvalue()))
        return texts[0], texts[1]


@pytest.fixture(scope="module")
def desk() -> Iterator[Desk]:
    desk = Desk()
    yield desk
    for handle in reversed(desk.handles):
        handle.close()


@pytest.fixture
def quick() -> Iterator[Desk]:
    desk = Desk()
    yield desk
    for handle in reversed(desk.handles):
        handle.close()


def test_a_line_of_a_call_is_what_it_should_be(desk: Desk) -> None:
    desk.call = CALL
    quick, long = desk.written("lab.v1.Lab/Do OK", COMMON, OWN)
    assert quick == long
    assert json.loads(quick) == {
        "ts": "", "level": "info", "logger": "calls", "msg": "lab.v1.Lab/Do OK",
        "service": "shop", "version": "1.2", "env": "test", **CALL, **COMMON, **OWN,
    }  # fmt: skip


@pytest.mark.parametrize("text", AWKWARD)
@pytest.mark.parametrize("where", ["message", "call", "common", "own"])
def test_awkward_texts_come_out_alike(desk: Desk, text: str, where: str) -> None:
    desk.call = {**CALL, "request_id": text} if where == "call" else CALL
    quick, long = desk.written(
        text if where == "message" else "m",
        {**COMMON, "reason": text} if where == "common" else COMMON,
        {**OWN, "peer": text, "uid": text} if where == "own" else OWN,
    )
    assert quick == long
    assert quick.count("\n") == 1


names = st.sampled_from(
    ["operation", "reason", "peer", "ms", "service", "level", "ts", "logger", "phone", "env",
     "token", "trace_id", "_hidden", "uid", "中"]
)  # fmt: skip
texts = st.sampled_from(AWKWARD) | st.text(max_size=70)
values = texts | st.none() | st.booleans() | st.integers() | st.floats() | st.binary(max_size=3)


@settings(max_examples=100)
@given(
    st.dictionaries(names, texts, max_size=4),
    texts,
    st.dictionaries(names, values, max_size=4),
    st.dictionaries(names, values, max_size=4),
)
@example({}, "", {}, {})
@example({"operation": "a"}, "m", {"operation": "b"}, {"operation": "a"})
@example({"service": "evil"}, "m", {"service": "shop"}, {"env": "evil"})
@example({}, "m", {"phone": ""}, {"phone": "1", "ms": math.nan})
@example({}, "m", {}, {"ms": 2**70})
def test_whatever_is_told_comes_out_alike(
    desk: Desk,
    call: dict[str, str],
    message: str,
    common: dict[str, Any],
    own: dict[str, Any],
) -> None:
    desk.call = call
    quick, long = desk.written(message, common, own)
    assert quick == long


def test_what_the_process_is_called_may_be_awkward_too() -> None:
    desk = Desk(Identity('"\ud800', "中", ""))
    quick, long = desk.written("m", COMMON, OWN)
    assert quick == long
    for handle in reversed(desk.handles):
        handle.close()


def test_a_field_that_cannot_be_shown_leaves_a_line_that_says_so(quick: Desk) -> None:
    class Shy:
        def __eq__(self, other: object) -> bool:
            raise LookupError

        __hash__ = None  # type: ignore[assignment] # what has no hash is asked for none

    one, other = quick.written("m", COMMON, {"phone": Shy()})
    assert one == other
    assert json.loads(one)["msg"] == "a record could not be formatted: LookupError"


def test_a_level_that_is_not_wanted_is_not_written(quick: Desk) -> None:
    write = quick.handles[0].lines(quick.loggers[0]).alike(logging.INFO, "m", {})
    quick.handles[0].apply(LogSettings(level="warning"))
    write(OWN)
    assert not quick.streams[0].getvalue()
    quick.handles[0].apply(LogSettings(levels={"calls": "info"}, level="error"))
    write(OWN)
    assert quick.streams[0].getvalue()


class Heard(logging.Handler):
    """Keeps what it hears."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


@pytest.mark.parametrize("at", ["calls", "root"])
def test_another_handler_hears_a_record_and_the_line_is_written_once(quick: Desk, at: str) -> None:
    logger, heard = quick.loggers[0], Heard()
    (logger if at == "calls" else logger.manager.root).addHandler(heard)
    quick.handles[0].lines(logger).alike(logging.WARNING, "m", COMMON)(OWN)
    (record,) = heard.records
    assert (record.getMessage(), record.__dict__["uid"]) == ("m", "u1")
    assert quick.streams[0].getvalue().count("\n") == 1


def test_filters_are_heeded(quick: Desk) -> None:
    def refuse(_record: logging.LogRecord) -> bool:
        return False

    logger = quick.loggers[0]
    write = quick.handles[0].lines(logger).alike(logging.INFO, "m", {})
    logger.addFilter(refuse)
    write(OWN)
    logger.removeFilter(refuse)
    (handler,) = logger.manager.root.handlers
    handler.addFilter(refuse)
    write(OWN)
    handler.removeFilter(refuse)
    handler.setLevel(logging.ERROR)
    write(OWN)
    handler.setLevel(logging.NOTSET)
    logger.propagate = False
    write(OWN)
    assert not quick.streams[0].getvalue()
    logger.propagate = True
    write(OWN)
    assert quick.streams[0].getvalue()


def test_after_the_handle_is_closed_its_lines_go_where_those_of_the_logger_go(quick: Desk) -> None:
    write = quick.handles[0].lines(quick.loggers[0]).alike(logging.WARNING, "m", COMMON)
    heard = Heard()
    quick.handles[0].close()
    quick.loggers[0].manager.root.addHandler(heard)
    write(OWN)
    assert len(heard.records) == 1
    assert not quick.streams[0].getvalue()


def test_only_json_has_a_quick_way() -> None:
    for kind, format_ in ((DirectLines, "json"), (LoggedLines, "console")):
        manager = logging.Manager(logging.RootLogger(logging.WARNING))
        told = LogSettings.model_validate({"format": format_})
        with setup(
            told, Identity("shop", "1", "test"), stream=io.StringIO(), manager=manager
        ) as log:
            assert isinstance(log.lines(manager.getLogger("calls")), kind)


def test_lines_below_warning_wait_and_a_warning_brings_them_along() -> None:
    stream, manager = io.StringIO(), logging.Manager(logging.RootLogger(logging.WARNING))
    told = LogSettings(format="json", flush=timedelta(seconds=10))
    identity = Identity("shop", "1", "test")
    with setup(told, identity, stream=stream, manager=manager) as handle:
        logger = manager.getLogger("calls")
        lines = handle.lines(logger)
        lines.alike(logging.INFO, "one", {})(OWN)
        logger.info("two")
        assert not stream.getvalue()
        lines.alike(logging.WARNING, "three", {})(OWN)
        found = [json.loads(line)["msg"] for line in stream.getvalue().splitlines()]
        assert found == ["one", "two", "three"]
        logger.info("four")
    assert stream.getvalue().count("\n") == 4

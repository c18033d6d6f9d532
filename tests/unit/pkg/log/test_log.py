"""What a record looks like when it comes out, and that logging never fails who logs."""

from __future__ import annotations

import io
import json
import logging
import warnings
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from pkg.config import ByteSize
from pkg.config.sections import LogSettings
from pkg.log import Identity, LogHandle, Redactor, setup

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

NOW = timedelta(0)
IDENTITY = Identity(service="shop", version="1.2", env="test")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Desk:
    """Loggers of its own, set up on a stream in memory."""

    def __init__(self) -> None:
        self.stream: io.StringIO = io.StringIO()
        self.call: Mapping[str, str] = {}
        self.manager = logging.Manager(logging.RootLogger(logging.WARNING))
        self.handles: list[LogHandle] = []

    def context(self) -> Mapping[str, str]:
        return self.call

    def setup(self, settings: LogSettings | None = None, **more: Any) -> LogHandle:
        settings = settings or LogSettings(flush=NOW)
        options = {"context": self.context, "stream": self.stream, "manager": self.manager, **more}
        handle = setup(settings, IDENTITY, **options)
        self.handles.append(handle)
        return handle

    def logger(self, name: str = "shop") -> logging.Logger:
        return self.manager.getLogger(name)

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.stream.getvalue().splitlines()]

    def line(self) -> dict[str, Any]:
        (line,) = self.lines()
        return line


@pytest.fixture
def desk() -> Iterator[Desk]:
    desk = Desk()
    yield desk
    for handle in reversed(desk.handles):
        handle.close()


@pytest.fixture
def log(desk: Desk) -> logging.Logger:
    desk.setup(redactor=Redactor({"phone"}))
    return desk.logger("shop.till")


def test_line_says_when_what_who_and_in_which_call(desk: Desk, log: logging.Logger) -> None:
    desk.call = {"trace_id": "abc", "request_id": "r1", "operation": ""}
    log.info("sold %d for %.2f to %s", 3, 1.5, "ann", extra={"till": 7})
    line = desk.line()
    assert line.pop("ts").endswith("Z")
    assert list(line) == [
        "level", "logger", "msg", "service", "version", "env", "trace_id", "request_id", "till",
    ]  # fmt: skip
    assert line == {
        "level": "info", "logger": "shop.till", "msg": "sold 3 for 1.50 to ann",
        "service": "shop", "version": "1.2", "env": "test",
        "trace_id": "abc", "request_id": "r1", "till": 7,
    }  # fmt: skip


def test_time_is_utc_with_milliseconds(desk: Desk, log: logging.Logger) -> None:
    record = log.makeRecord(log.name, logging.INFO, "f", 1, "x", (), None)
    record.created = 1767225600.0129
    log.handle(record)
    assert desk.line()["ts"] == "2026-01-01T00:00:00.012Z"


def test_extras_are_redacted_and_cannot_forge_the_line(desk: Desk, log: logging.Logger) -> None:
    extra = {"phone": "1", "headers": {"Authorization": "Bearer x"}, "service": "evil"}
    log.info("x", extra=extra)
    line = desk.line()
    assert (line["phone"], line["headers"]) == ("***", {"Authorization": "***"})
    assert (line["service"], line["service_"]) == ("shop", "evil")


def test_structured_arguments_of_a_message_are_redacted(desk: Desk, log: logging.Logger) -> None:
    log.info("got %s", [{"phone": "1"}])
    log.info("got %(body)s", {"body": {"phone": "1"}})
    log.info("sent Bearer abcdefgh")
    assert [line["msg"] for line in desk.lines()] == [
        "got [{'phone': '***'}]",
        "got {'phone': '***'}",
        "sent Bearer ***",
    ]


def test_exception_is_a_field_with_type_message_and_stack(desk: Desk, log: logging.Logger) -> None:
    try:
        try:
            raise KeyError("till")
        except KeyError as cause:
            raise ConnectionError("cannot reach redis://:pw@r") from cause
    except ConnectionError:
        log.exception("sale failed")
    exception = desk.line()["exception"]
    assert exception["type"] == "ConnectionError"
    assert exception["message"] == "cannot reach redis://:***@r"
    assert "KeyError: 'till'" in exception["stack"]
    assert "pw@" not in exception["stack"]


def test_stack_can_be_asked_for(desk: Desk, log: logging.Logger) -> None:
    log.info("here", stack_info=True)
    assert "test_stack_can_be_asked_for" in desk.line()["stack"]


def test_every_text_stays_on_one_line(desk: Desk, log: logging.Logger) -> None:
    log.info("a\nb", extra={"x": "\r\n"})
    assert desk.stream.getvalue().count("\n") == 1
    assert desk.line()["msg"] == "a\nb"


def test_long_values_are_cut(desk: Desk) -> None:
    desk.setup(LogSettings(max_value=ByteSize(10), flush=NOW))
    desk.logger().info("m" * 20, extra={"x": "y" * 20})
    line = desk.line()
    assert (line["msg"], line["x"]) == ("m" * 10 + "… (10 more)", "y" * 10 + "… (10 more)")


@pytest.mark.parametrize(
    ("message", "args", "shown"),
    [
        ("%d items", ("many",), "%d items (its arguments do not fit)"),
        ("%s and %s", (1,), "%s and %s (its arguments do not fit)"),
        ("%(a)s", ({"b": 1},), "%(a)s (its arguments do not fit)"),
        ("\ud800", (), "\ud800"),
        ({"a": 1}, (), "{'a': 1}"),
    ],
)
def test_mistaken_messages_are_shown_nonetheless(
    desk: Desk, log: logging.Logger, message: Any, args: tuple[Any, ...], shown: str
) -> None:
    log.info(message, *args)
    assert desk.line()["msg"] == shown


def test_record_that_cannot_be_formatted_leaves_a_line(desk: Desk, log: logging.Logger) -> None:
    class Shy:
        def __str__(self) -> str:
            raise RuntimeError("no")

    log.info(Shy())
    assert desk.line()["msg"] == "a record could not be formatted: RuntimeError"


def test_context_that_fails_costs_the_context_only(desk: Desk) -> None:
    def fail() -> dict[str, str]:
        raise LookupError

    desk.setup(context=fail)
    desk.logger().info("x")
    assert desk.line()["msg"] == "x"


def test_closed_stream_does_not_fail_who_logs(desk: Desk, log: logging.Logger) -> None:
    desk.stream.close()
    log.info("x")


def test_warnings_and_servers_come_out_as_lines(desk: Desk) -> None:
    server = logging.getLogger("uvicorn.error")
    server.handlers, server.propagate = [logging.NullHandler()], False
    handle = desk.setup(manager=logging.getLogger().manager)
    server.info("Started server process")
    server.warning("odd", extra={"color_message": "\x1b[1modd"})
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("old way", stacklevel=1)
    lines = desk.lines()
    assert [(line["logger"], line["level"]) for line in lines] == [
        ("uvicorn.error", "warning"),
        ("py.warnings", "warning"),
    ]
    assert "color_message" not in lines[0]
    handle.close()
    assert len(server.handlers) == 1
    assert server.propagate is False
    server.handlers, server.propagate = [], True


def test_levels_are_per_logger_and_may_change(desk: Desk) -> None:
    handle = desk.setup(LogSettings(level="warning", levels={"shop.db": "debug"}, flush=NOW))
    desk.logger("shop").info("no")
    desk.logger("shop.db.pool").debug("yes")
    handle.apply(LogSettings(level="info"))
    desk.logger("shop").info("yes")
    desk.logger("shop.db.pool").debug("no")
    assert [line["msg"] for line in desk.lines()] == ["yes", "yes"]


def test_close_restores_what_was_before(desk: Desk) -> None:
    root = desk.manager.root
    root.addHandler(logging.NullHandler())
    before = (root.handlers[:], root.level, desk.logger("uvicorn").level)
    with desk.setup(LogSettings(level="debug")) as handle:
        assert root.level == logging.DEBUG
    assert (root.handlers[:], root.level, desk.logger("uvicorn").level) == before
    handle.close()
    assert root.handlers == before[0]


def test_terminal_gets_columns_and_colours(desk: Desk) -> None:
    desk.stream = Terminal()
    desk.setup()
    desk.call = {"trace_id": "abc"}
    desk.logger("shop").warning("low on %s", "milk", extra={"left": 2, "note": "buy it"})
    text = desk.stream.getvalue()
    assert "\x1b[33mWARNING \x1b[0m" in text
    assert "low on milk" in text
    assert text.endswith('\x1b[2mnote=\x1b[0m"buy it"\n')
    assert "trace_id=\x1b[0mabc" in text
    shown = {word for word in ("service=", "version=", "env=") if word in text}
    assert not shown, "who reads a terminal knows which process it is"


def test_console_without_colours(desk: Desk) -> None:
    desk.stream = Terminal()
    desk.setup(environ={"NO_COLOR": "1"})
    desk.logger("shop").info("x", extra={"empty": ""})
    assert "\x1b" not in desk.stream.getvalue()
    assert desk.stream.getvalue().endswith('INFO     shop x empty=""\n')


def test_console_on_request_and_its_stacks(desk: Desk) -> None:
    desk.setup(LogSettings(format="console", flush=NOW))
    try:
        raise ValueError("bad")
    except ValueError:
        desk.logger("shop").exception("failed", stack_info=True)
    lines = desk.stream.getvalue().splitlines()
    assert lines[0].endswith("ERROR    shop failed")
    assert "ValueError: bad" in lines
    assert any("Stack (most recent call last)" in line for line in lines)


def test_json_on_request_on_a_terminal(desk: Desk) -> None:
    desk.stream = Terminal()
    desk.setup(LogSettings(format="json", flush=NOW))
    desk.logger("shop").info("x")
    assert desk.line()["msg"] == "x"


def test_values_cannot_forge_lines_or_colours_on_a_console(desk: Desk) -> None:
    desk.setup(LogSettings(format="console", flush=NOW))
    desk.logger("shop").info("a\nb\x1b[31m", extra={"x": "c\x9bd"})
    assert desk.stream.getvalue().endswith("a\\nb\\x1b[31m x=c\\x9bd\n")


def test_stream_closed_before_setup_is_no_terminal(desk: Desk) -> None:
    desk.stream.close()
    desk.setup()
    desk.logger("shop").info("x")


def test_standard_output_is_where_lines_go(capsys: pytest.CaptureFixture[str]) -> None:
    with setup(LogSettings(), IDENTITY):
        logging.getLogger("shop").info("x")
    assert json.loads(capsys.readouterr().out)["msg"] == "x"


def test_stream_of_another_encoding_gets_what_it_can_write(desk: Desk) -> None:
    raw = io.BytesIO()
    narrow = io.TextIOWrapper(raw, encoding="ascii")
    desk.setup(LogSettings(format="console", flush=NOW), stream=narrow)
    desk.logger().warning("中文 \ud800")
    assert raw.getvalue().endswith(b"WARNING  shop \\u4e2d\\u6587 \\ud800\n")

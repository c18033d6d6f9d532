"""Lines as JSON without a record, in a fraction of its time."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any

import orjson

from pkg.log.handler import unformattable
from pkg.log.line import TS
from pkg.log.lines import LoggedLines

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pkg.log.formats import JsonLines
    from pkg.log.handler import StreamLines
    from pkg.log.line import LineMaker
    from pkg.log.lines import Write
    from pkg.log.writer import LineWriter


class DirectLines:
    """`Lines` in the same bytes as those of `LoggedLines`.

    Where anybody but our handler listens to the logger, or filters, they are records.
    """

    def __init__(
        self,
        logger: logging.Logger,
        *,
        handler: StreamLines,
        maker: LineMaker,
        json: JsonLines,
        writer: LineWriter,
    ) -> None:
        """Go by the levels of `logger`; the others are what `handler` is made of."""
        self._logger = logger
        self._handler = handler
        self._maker = maker
        self._json = json
        self._writer = writer

    def alike(self, level: int, message: str, common: Mapping[str, Any]) -> Write:
        """What writes lines of one kind."""
        logger, put, alone = self._logger, self._writer.put, self._alone
        kind = _Kind(self._maker, self._json, (level, logger.name, message), common)
        log = LoggedLines(logger).alike(level, message, common)
        urgent = level >= logging.WARNING

        def write(fields: Mapping[str, Any]) -> None:
            if not logger.isEnabledFor(level):
                return
            if alone():
                put(kind.line(time.time(), fields), urgent=urgent)
            else:
                log(fields)

        return write

    def _alone(self) -> bool:
        """Whether a record of the logger would reach our handler, and no other, unfiltered."""
        handler = self._handler
        logger: logging.Logger | None = self._logger
        if self._logger.filters or handler.filters or handler.level:
            return False
        while logger is not None:
            above = logger.parent if logger.propagate else None
            if logger.handlers:
                return above is None and logger.handlers == [handler]
            logger = above
        return False


class _Kind:
    """What is known of all lines of a kind before there is one."""

    def __init__(
        self,
        maker: LineMaker,
        json: JsonLines,
        head: tuple[int, str, str],
        common: Mapping[str, Any],
    ) -> None:
        level, logger, message = head
        self._head = (logging.getLevelName(level), logger, message)
        self._maker = maker
        self._json = json
        self._common = dict(common)
        self._field = maker.redactor.field
        self._text = maker.redactor.text
        self._shown: dict[str, bool] = {}
        """Fields by whether their values may be shown."""
        self._cleaned = [
            (name, value, self._field(name, value))
            for name, value in common.items()
            if not name.startswith("_")
        ]
        opening = maker.opening(*self._head)
        self._taken = frozenset((TS, *opening))
        try:
            self._opening = orjson.dumps(opening).decode()[1:-1]
        except TypeError:  # lone surrogates
            self._opening = ""

    def line(self, created: float, fields: Mapping[str, Any]) -> str:
        """A line, with its newline."""
        try:
            return self._quick(created, fields) or self._general(created, fields)
        except Exception as error:  # noqa: BLE001 - as with records: who logs is not to fail
            return f"{unformattable(created, error)}\n"

    def _quick(self, created: float, fields: Mapping[str, Any]) -> str:
        """The line; empty where two fields have one name, or one is what orjson refuses."""
        maker = self._maker
        rest: dict[str, Any] = {name: text for name, text in maker.context().items() if text}
        for name, value, cleaned in self._cleaned:
            if name not in rest:
                rest[name] = cleaned
            elif rest[name] != value:
                return ""
        shown = self._shown
        for name, value in fields.items():
            if name in rest:
                return ""
            kind = type(value)
            if (kind is float or kind is str) and shown.get(name):
                rest[name] = value if kind is float else self._text(value)
            elif name.startswith("_"):
                return ""
            else:
                rest[name] = self._field(name, value)
                shown[name] = not maker.redactor.hides(name)
        if not (self._opening and rest and self._taken.isdisjoint(rest)):
            return ""
        try:
            told = orjson.dumps(rest).decode()
        except TypeError:  # lone surrogates
            return ""
        return f'{{"ts":"{maker.timestamps.of(created)}",{self._opening},{told[1:]}\n'

    def _general(self, created: float, fields: Mapping[str, Any]) -> str:
        extras = {**self._common, **fields}
        return self._json.text(self._maker.line(created, *self._head, extras.items())) + "\n"

"""Lines as JSON without a record, in a fraction of its time."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any, Final

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


_SHAPES: Final = 64
"""Sets of names that are remembered: they come from code, which has few of them."""


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
        handler, logger = self._handler, self._logger
        if logger.filters or handler.filters or handler.level:
            return False
        while not logger.handlers and logger.propagate and logger.parent is not None:
            logger = logger.parent
        above = logger.parent if logger.propagate else None
        return above is None and logger.handlers == [handler]


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
        self._cleaned = {
            name: self._field(name, value)
            for name, value in common.items()
            if not name.startswith("_")
        }
        self._hides = maker.redactor.hides
        self._shapes: dict[tuple[str, ...], tuple[str, ...] | None] = {}
        """By the names of context and fields: those that the context and what is common to all
        lines share; None where a line with these names is not quickly made."""
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
        context = maker.context()
        names = (*context, *fields)
        try:
            shared = self._shapes[names]
        except KeyError:
            shared = self._learn(names, context, fields)
        if shared is None or not all(context.values()):
            return ""
        for name in shared:
            if self._common[name] != context[name]:
                return ""
        rest = {**context, **self._cleaned, **fields}
        for name, value in fields.items():
            kind = type(value)
            if kind is str:
                rest[name] = self._text(value)
            elif kind is not float:
                rest[name] = self._field(name, value)
        try:
            told = orjson.dumps(rest).decode()
        except TypeError:  # lone surrogates
            return ""
        return f'{{"ts":"{maker.timestamps.of(created)}",{self._opening},{told[1:]}\n'

    def _learn(
        self, names: tuple[str, ...], context: Mapping[str, str], fields: Mapping[str, Any]
    ) -> tuple[str, ...] | None:
        """The entry of these names in the shapes; kept, unless there are many."""
        cleaned = self._cleaned
        shared = tuple(name for name in cleaned if name in context)
        quick = (
            self._opening
            and (names or cleaned)
            and self._taken.isdisjoint((*names, *cleaned))
            and len({*names, *cleaned}) == len(names) + len(cleaned) - len(shared)
            and all(cleaned[name] == self._common[name] for name in shared)
            and not any(name.startswith("_") or self._hides(name) for name in fields)
        )
        found = shared if quick else None
        if len(self._shapes) < _SHAPES:
            self._shapes[names] = found
        return found

    def _general(self, created: float, fields: Mapping[str, Any]) -> str:
        extras = {**self._common, **fields}
        return self._json.text(self._maker.line(created, *self._head, extras.items())) + "\n"

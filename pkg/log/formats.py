"""How a line looks: JSON for machines, columns and colours for people."""

from __future__ import annotations

import json
import logging
import re
from typing import Any, Final

from pythonjsonlogger.orjson import OrjsonFormatter

from pkg.log.line import EXCEPTION, HEAD, LEVEL, LOGGER, MSG, STACK, TS, LineMaker

_COLOURS: Final = {"debug": "2", "info": "32", "warning": "33", "error": "31", "critical": "1;31"}
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


class JsonLines(OrjsonFormatter):
    """One JSON object per record, on one line."""

    def __init__(self, maker: LineMaker) -> None:
        """Write what `maker` makes."""
        super().__init__()
        self._maker = maker

    def format(self, record: logging.LogRecord) -> str:
        """The record as JSON."""
        return self.text(self._maker.fields(record))

    def text(self, fields: dict[str, Any]) -> str:
        """What the maker made, as JSON."""
        try:
            return self.serialize_log_record(fields)
        except (TypeError, ValueError):  # lone surrogates, which orjson refuses
            return json.dumps(fields, default=str)


class Console(logging.Formatter):
    """One record per line, for reading: time, level, logger, message, fields; then the stack.

    What the process is (service, version, environment) is left out: the reader knows.
    """

    def __init__(self, maker: LineMaker, *, colour: bool, hidden: frozenset[str]) -> None:
        """Write what `maker` makes, without the `hidden` fields."""
        super().__init__()
        self._maker = maker
        self._colour = colour
        self._hidden = hidden

    def format(self, record: logging.LogRecord) -> str:
        """The record as a line, and the stack of its exception below."""
        line = self._maker.fields(record)
        level = str(line[LEVEL])
        parts = [
            self._paint(line[TS][11:-1], "2"),
            self._paint(f"{level.upper():<8}", _COLOURS.get(level, "0")),
            self._paint(line[LOGGER], "36"),
            printable(str(line[MSG])),
        ]
        parts += [
            self._paint(f"{printable(name)}=", "2") + printable(_shown(value))
            for name, value in line.items()
            if name not in HEAD and name not in self._hidden and name not in (EXCEPTION, STACK)
        ]
        text = " ".join(parts)
        if EXCEPTION in line:
            text += "\n" + printable(line[EXCEPTION]["stack"].rstrip(), keep_lines=True)
        if STACK in line:
            text += "\n" + printable(line[STACK], keep_lines=True)
        return text

    def _paint(self, text: str, colour: str) -> str:
        return f"\x1b[{colour}m{text}\x1b[0m" if self._colour else text


def printable(text: str, *, keep_lines: bool = False) -> str:
    """The text with control characters escaped, so that no value can forge a line or a colour."""
    if not keep_lines:
        text = text.replace("\n", "\\n")
    return _CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", text)


def _shown(value: Any) -> str:
    if isinstance(value, str):
        return value if value and " " not in value else json.dumps(value, ensure_ascii=False)
    return json.dumps(value, ensure_ascii=False, default=str)

"""Logs: JSON lines for machines, colours on a terminal, and nothing sensitive in either."""

from pkg.log.lines import LoggedLines
from pkg.log.redactor import Redactor
from pkg.log.setup import Identity, LogHandle, setup

__all__ = ["Identity", "LogHandle", "LoggedLines", "Redactor", "setup"]

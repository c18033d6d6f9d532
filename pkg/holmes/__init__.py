"""A watchdog that keeps the evidence when too much is used, or an event loop is blocked."""

from pkg.holmes.fake import FakeProbe
from pkg.holmes.hooks import ExceptionHooks
from pkg.holmes.loops import Loops
from pkg.holmes.process import ProcessProbe
from pkg.holmes.readings import Kind, Probe, Readings
from pkg.holmes.rules import LagRule, Rule, RuleSettings
from pkg.holmes.settings import HolmesSettings
from pkg.holmes.watchdog import Holmes

__all__ = [
    "ExceptionHooks",
    "FakeProbe",
    "Holmes",
    "HolmesSettings",
    "Kind",
    "LagRule",
    "Loops",
    "Probe",
    "ProcessProbe",
    "Readings",
    "Rule",
    "RuleSettings",
]

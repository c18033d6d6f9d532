"""Telling people that something is wrong."""

from pkg.alert.alert import Alert, Alerts, Attachment
from pkg.alert.log import LoggedAlerts
from pkg.alert.memory import MemoryAlerts

__all__ = ["Alert", "Alerts", "Attachment", "LoggedAlerts", "MemoryAlerts"]

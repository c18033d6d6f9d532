"""Telling people that something is wrong. The adapter that mails is `pkg.alert.mailed`."""

from pkg.alert.alert import Alert, Alerts, Attachment
from pkg.alert.hooks import alert_error, each_of
from pkg.alert.log import LoggedAlerts
from pkg.alert.memory import MemoryAlerts
from pkg.alert.settings import AlertSettings, TopicSettings

__all__ = [
    "Alert",
    "AlertSettings",
    "Alerts",
    "Attachment",
    "LoggedAlerts",
    "MemoryAlerts",
    "TopicSettings",
    "alert_error",
    "each_of",
]

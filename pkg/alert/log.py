"""Alerts as log lines: what there is where no mail is configured."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pkg.alert.alert import Alert

_LOG: Final = logging.getLogger(__name__)


class LoggedAlerts:
    """`Alerts` that are logged, with the names of their attachments."""

    def __init__(self, logger: logging.Logger = _LOG) -> None:
        self._log = logger

    def send(self, alert: Alert) -> None:
        """Log it as an error."""
        self._log.error(
            "%s: %s",
            alert.topic,
            alert.title,
            extra={
                "topic": alert.topic,
                "detail": alert.detail,
                **({"trace_id": alert.trace_id} if alert.trace_id else {}),
                "attachments": [each.name for each in alert.attachments],
            },
        )

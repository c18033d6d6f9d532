"""Where the alerts of a process go: to people by mail, where the settings name any."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from pkg.alert import LoggedAlerts

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

    from pkg.alert.mailed import MailedAlerts
    from pkg.backoff import Chance
    from pkg.clock import Clock
    from pkg.log import Identity
    from pkg.service.settings import StandardSettings
    from pkg.tokens import Tokens


def alerts_of(
    settings: StandardSettings,
    identity: Identity,
    *,
    clock: Clock,
    tokens: Tokens,
    chance: Chance,
    registry: CollectorRegistry,
) -> LoggedAlerts | MailedAlerts:
    """Alerts by mail, which are a component, or in the log alone where there are no topics."""
    sender = settings.email.sender
    if not settings.alerts.topics or sender is None:
        return LoggedAlerts()
    # Only a process that mails pays for templates and SMTP.
    from pkg.alert.mailed import MailedAlerts
    from pkg.alert.writer import Writer
    from pkg.breaker import BreakerMetrics
    from pkg.email.smtp import SmtpMailer

    return MailedAlerts(
        SmtpMailer(settings.email, clock=clock, tokens=tokens),
        settings.alerts,
        Writer(
            settings.alerts.language,
            identity,
            host=socket.gethostname(),
            domain=sender.partition("@")[2],
            tokens=tokens,
        ),
        clock=clock,
        chance=chance,
        registry=registry,
        breakers=BreakerMetrics(registry),
    )

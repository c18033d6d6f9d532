"""Where alerts went, for Prometheus.

    alerts_taken_total{topic}               counter   handed in
    alerts_mailed_total{topic}              counter   told of in a mail that went, alone or in a sum
    alerts_dropped_total{topic,reason}      counter   told of in no mail; reason: refused, expired,
                                                      stopped, broken
    alerts_waiting                          gauge     held back, or in a mail that waits
    alert_mails_total{topic,outcome}        counter   tries; outcome: sent, deferred, refused, away

taken = mailed + dropped + waiting. A topic that is not in the settings counts as the default one.
"""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge


class AlertMetrics:
    """The series of one `MailedAlerts`."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Register the series.

        Raises:
            ValueError: the registry has them already.
        """
        self.taken = Counter("alerts_taken", "Alerts handed in.", ("topic",), registry=registry)
        self.mailed = Counter(
            "alerts_mailed", "Alerts that a mail told of.", ("topic",), registry=registry
        )
        self.dropped = Counter(
            "alerts_dropped", "Alerts that no mail told of.", ("topic", "reason"), registry=registry
        )
        self.waiting = Gauge("alerts_waiting", "Alerts that wait to be mailed.", registry=registry)
        self.mails = Counter(
            "alert_mails", "Tries to send a mail.", ("topic", "outcome"), registry=registry
        )

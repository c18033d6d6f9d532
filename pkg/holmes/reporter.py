"""From a finding to files and an alert."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from pkg.alert import Alert, Alerts, Attachment
from pkg.holmes.readings import Kind, shown

if TYPE_CHECKING:
    import logging
    import threading
    from datetime import timedelta
    from pathlib import Path

    from pkg.holmes.dumps import Dumps
    from pkg.holmes.examiner import Examiner, Finding

TOPIC: Final = "holmes"
_STAMP: Final = "%Y%m%dT%H%M%S.%fZ"


class Reporter:
    """Makes dumps: a text, and a CPU profile. Never raises for want of a disk or of a mailer."""

    def __init__(
        self,
        examiner: Examiner,
        dumps: Dumps,
        alerts: Alerts,
        *,
        profile: timedelta,
        stop: threading.Event,
        logger: logging.Logger,
    ) -> None:
        """Report to `alerts` and `logger`, keep the files in `dumps`.

        Args:
            examiner: gathers what a dump is made of.
            dumps: where files are kept. What they do not take goes along with the alert still.
            alerts: told of every dump, with its files.
            profile: how long the CPU profile is; zero for none.
            stop: ends a profile early.
            logger: told of every dump.
        """
        self._examiner = examiner
        self._dumps = dumps
        self._alerts = alerts
        self._profile = profile
        self._stop = stop
        self._log = logger

    def report(self, finding: Finding) -> bool:
        """Make a dump; blocks for as long as the profile takes. Tells if all of it is kept.

        The stacks come first and are kept at once: the process may not live through the profile.
        """
        detail = finding.summary()
        if finding.kind is Kind.LAG:
            detail += f"\n{self._examiner.blocked()}"
        stem = f"{finding.when.strftime(_STAMP)}-{os.getpid()}-{finding.kind}"
        text = self._examiner.text(finding)
        files = [Attachment(f"{stem}.txt", text, "text/plain; charset=utf-8")]
        kept = [self._keep(files[0])]
        profile = self._examiner.profile(self._profile, self._stop) if self._profile else None
        if profile is not None:
            files.append(Attachment(f"{stem}.pb.gz", profile))
            kept.append(self._keep(files[1]))
        self._tell(finding, [str(each) for each in kept if each is not None])
        alert = Alert(topic=TOPIC, title=finding.title, detail=detail, attachments=tuple(files))
        try:
            self._alerts.send(alert)
        except Exception:  # noqa: BLE001 - the dump is kept, and the watchdog goes on
            self._log.exception("an alert of the watchdog could not be sent")
        return None not in kept

    def _keep(self, file: Attachment) -> Path | None:
        try:
            return self._dumps.save(file.name, file.content)
        except OSError as error:
            self._log.error("the dump %s is not kept: %s", file.name, error)
            return None

    def _tell(self, finding: Finding, paths: list[str]) -> None:
        self._log.warning(
            "%s: %s, %s",
            finding.title,
            shown(finding.kind, finding.value),
            finding.reason,
            extra={"kind": finding.kind.value, "files": paths},
        )

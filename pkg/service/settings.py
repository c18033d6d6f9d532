"""The sections of the configuration that every service has, whatever it is for."""
# Pydantic reads the annotations below at run time.

from typing import Self

from pydantic import model_validator

from pkg.alert.settings import AlertSettings
from pkg.audit.settings import AuditSettings
from pkg.bus.settings import BusSettings
from pkg.config.sections import ServiceSettings
from pkg.email.settings import EmailSettings
from pkg.holmes.settings import HolmesSettings
from pkg.profile.settings import ProfileSettings, PyroscopeSettings
from pkg.registry.settings import RegistrySettings
from pkg.service.server import ServerSettings
from pkg.trace.settings import TraceSettings


class StandardSettings(ServiceSettings):
    """What every service can be told. Extend it with the sections of your own."""

    server: ServerSettings = ServerSettings()
    bus: BusSettings = BusSettings()
    audit: AuditSettings = AuditSettings()
    trace: TraceSettings = TraceSettings()
    email: EmailSettings = EmailSettings()
    alerts: AlertSettings = AlertSettings()
    holmes: HolmesSettings = HolmesSettings()
    profile: ProfileSettings = ProfileSettings()
    pyroscope: PyroscopeSettings = PyroscopeSettings()
    registry: RegistrySettings = RegistrySettings()

    @model_validator(mode="after")
    def _alerts_can_be_mailed(self) -> Self:
        if self.alerts.topics and not self.email.host:
            raise ValueError("alerts has topics, but email has no host to send them by")
        return self

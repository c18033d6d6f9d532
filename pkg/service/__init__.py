"""What every service has, whatever it is for: settings, and the parts of the process."""

from pkg.service.bus import ServiceBus, service_bus
from pkg.service.chains import Chains, LoopChain
from pkg.service.settings import StandardSettings
from pkg.service.standard import MAIN, Standard

__all__ = [
    "MAIN",
    "Chains",
    "LoopChain",
    "ServiceBus",
    "Standard",
    "StandardSettings",
    "service_bus",
]

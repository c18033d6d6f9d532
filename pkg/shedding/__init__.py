"""Refuses calls that would only wait, so that those which are taken are served in time.

A call is refused while the CPU is busy and more calls are in flight than the last seconds have
shown to be served without waiting for each other: the most that passed, times the least that one
took. Nothing has to be configured for a service's own capacity.
"""

from pkg.shedding.load import CpuLoad, Load
from pkg.shedding.metrics import ShedderMetrics, SheddingMetrics
from pkg.shedding.settings import SheddingSettings
from pkg.shedding.shedder import Shedder

__all__ = [
    "CpuLoad",
    "Load",
    "Shedder",
    "ShedderMetrics",
    "SheddingMetrics",
    "SheddingSettings",
]

"""Time as a dependency: whoever needs to know the time is handed a `Clock`."""

from pkg.clock.clock import Clock, SystemClock
from pkg.clock.fake import FakeClock

__all__ = ["Clock", "FakeClock", "SystemClock"]

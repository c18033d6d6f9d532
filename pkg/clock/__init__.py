"""Time as a dependency: whoever needs to know the time is handed a `Clock`, who waits a `Pause`."""

from pkg.clock.clock import Clock, SystemClock
from pkg.clock.fake import FakeClock
from pkg.clock.pause import Pause, pause

__all__ = ["Clock", "FakeClock", "Pause", "SystemClock", "pause"]

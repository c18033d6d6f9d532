"""A sampler that is at work for as long as a test wants."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING

from pkg.profile import Sampler, SamplerBusyError

if TYPE_CHECKING:
    import threading


def keep_busy(sampler: Sampler, stop: threading.Event) -> None:
    """Take a profile until told to stop, as soon as nobody else does."""
    while not stop.is_set():
        with suppress(SamplerBusyError):
            sampler.run(timedelta(minutes=1), 100, stop)

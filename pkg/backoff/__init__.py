"""How long to wait before the next try."""

from pkg.backoff.backoff import Backoff, Chance
from pkg.backoff.settings import BackoffSettings

__all__ = ["Backoff", "BackoffSettings", "Chance"]

"""Calls that are done once, however often they are sent. The adapter on Redis is `.redis`."""

from pkg.idempotency.guarded import GuardedIdempotencyStore
from pkg.idempotency.key import HEADER, key_of
from pkg.idempotency.memory import MemoryIdempotencyStore
from pkg.idempotency.metrics import IdempotencyMetrics
from pkg.idempotency.once import REPLAYED, Once
from pkg.idempotency.result import NotKeptError
from pkg.idempotency.settings import IdempotencySettings, WhenAway
from pkg.idempotency.store import Begun, Claim, IdempotencyStore, State

__all__ = [
    "HEADER",
    "REPLAYED",
    "Begun",
    "Claim",
    "GuardedIdempotencyStore",
    "IdempotencyMetrics",
    "IdempotencySettings",
    "IdempotencyStore",
    "MemoryIdempotencyStore",
    "NotKeptError",
    "Once",
    "State",
    "WhenAway",
    "key_of",
]

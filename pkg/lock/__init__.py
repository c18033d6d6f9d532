"""Locks that hold across processes: renewed while held, fenced, and never lost in silence."""

from pkg.lock.locks import Held, LockError, LockLostError, Locks, LockTimeoutError
from pkg.lock.memory import MemoryLockStore
from pkg.lock.metrics import LockMetrics
from pkg.lock.redis import RedisLockStore
from pkg.lock.settings import LockSettings
from pkg.lock.store import Attempt, LockStore
from pkg.lock.stored import StoredLocks

__all__ = [
    "Attempt",
    "Held",
    "LockError",
    "LockLostError",
    "LockMetrics",
    "LockSettings",
    "LockStore",
    "LockTimeoutError",
    "Locks",
    "MemoryLockStore",
    "RedisLockStore",
    "StoredLocks",
]

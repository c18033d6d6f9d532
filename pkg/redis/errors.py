"""What goes wrong with Redis, and what a caller makes of it."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from redis.exceptions import RedisClusterException, RedisError

from pkg.errors import Fault

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["REDIS_ERRORS", "RedisError", "unavailable"]

REDIS_ERRORS: Final = (RedisError, RedisClusterException, OSError)
"""All that Redis, or the way to it, fails with: a cluster's errors are no `RedisError`."""


@contextmanager
def unavailable() -> Iterator[None]:
    """Around commands whose failure the caller of a service is to know of.

    Raises:
        Fault: UNAVAILABLE in place of whatever Redis, or the way to it, failed with.
    """
    try:
        yield
    except REDIS_ERRORS as error:
        raise Fault("UNAVAILABLE") from error

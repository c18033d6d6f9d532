"""A Redis that is waited for."""

from __future__ import annotations

from datetime import timedelta

from pkg.redis import RedisSettings

PATIENT = RedisSettings(connect_timeout=timedelta(minutes=1), timeout=timedelta(minutes=1))
"""For tests in which it answers: a command that is sent again, for it was late, counts twice."""

"""Calls to other services that may be away: a circuit breaker, and tries that cannot pile up."""

from pkg.client.metrics import ClientMetrics
from pkg.client.resilient import ResilientChannel
from pkg.client.settings import ClientSettings
from pkg.client.target import Target

__all__ = ["ClientMetrics", "ClientSettings", "ResilientChannel", "Target"]

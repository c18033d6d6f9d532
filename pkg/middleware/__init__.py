"""What stands between a transport and a service, the same for every transport.

Each is a factory that takes what it needs and returns a `Middleware`; `assemble` makes a chain of
them from the names in the configuration.
"""

from pkg.middleware.assemble import DEFAULT_CHAIN, ChainError, assemble, check_names
from pkg.middleware.audit import CallRecorder, audit
from pkg.middleware.authentication import Authenticator, authentication
from pkg.middleware.authorization import Authorizer, authorization
from pkg.middleware.cache import cache
from pkg.middleware.call_metrics import CallMetrics
from pkg.middleware.deadline import deadline
from pkg.middleware.idempotency import idempotency
from pkg.middleware.load_shedding import load_shedding
from pkg.middleware.log import log
from pkg.middleware.metrics import metrics
from pkg.middleware.rate_limit import caller_limit, rate_limit
from pkg.middleware.recovery import OnError, log_error, recovery
from pkg.middleware.request_id import request_id
from pkg.middleware.tracing import tracing
from pkg.middleware.validation import validation

__all__ = [
    "DEFAULT_CHAIN",
    "Authenticator",
    "Authorizer",
    "CallMetrics",
    "CallRecorder",
    "ChainError",
    "OnError",
    "assemble",
    "audit",
    "authentication",
    "authorization",
    "cache",
    "caller_limit",
    "check_names",
    "deadline",
    "idempotency",
    "load_shedding",
    "log",
    "log_error",
    "metrics",
    "rate_limit",
    "recovery",
    "request_id",
    "tracing",
    "validation",
]

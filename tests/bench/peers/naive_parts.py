"""What the middlewares of the naive stack do, whatever they are written on."""

from __future__ import annotations

import logging
import sys
from typing import Any, Final, TextIO

import casbin
import jwt
from prometheus_client import CollectorRegistry, Counter, Histogram
from pythonjsonlogger.json import JsonFormatter

_MODEL: Final = """
[request_definition]
r = sub, obj, act
[policy_definition]
p = sub, obj, act
[policy_effect]
e = some(where (p.eft == allow))
[matchers]
m = r.sub == p.sub && keyMatch2(r.obj, p.obj) && r.act == p.act
"""
_POLICIES: Final = 100
_TAKE: Final = """
local taken = redis.call('INCR', KEYS[1])
if taken == 1 then redis.call('EXPIRE', KEYS[1], ARGV[1]) end
return taken
"""


class Access:
    """Reads tokens."""

    def __init__(self, secret: str) -> None:
        self._secret = secret

    def claims(self, authorization: str) -> dict[str, Any]:
        """Of a bearer's token.

        Raises:
            PyJWTError: it is not good.
        """
        token = authorization.removeprefix("Bearer ")
        claims: dict[str, Any] = jwt.decode(
            token, self._secret, algorithms=["HS256"], audience="py-grpc-layout"
        )
        return claims


class Policies:
    """A casbin enforcer; the policy that allows stands in the middle of a hundred."""

    def __init__(self) -> None:
        model = casbin.Model()
        model.load_model_from_text(_MODEL)
        self._enforcer = casbin.Enforcer(model)
        for number in range(_POLICIES):
            self._enforcer.add_policy("user", f"/v1/things-{number}/:id", "POST")
            if number == _POLICIES // 2:
                self._enforcer.add_policy("user", "/v1/bench/orders", "POST")

    def allow(self, role: str, path: str, method: str) -> bool:
        """Whether one of them says so."""
        allowed: bool = self._enforcer.enforce(role, path, method)
        return allowed


class Limit:
    """A fixed window in Redis."""

    def __init__(self, client: Any) -> None:
        self._take = client.register_script(_TAKE)

    async def allows(self, subject: str) -> bool:
        """Count a request."""
        taken: int = await self._take(keys=[f"naive:{subject}"], args=[60])
        return taken < 1_000_000_000


class Calls:
    """Counts and times requests."""

    def __init__(self) -> None:
        registry = CollectorRegistry()
        self._count = Counter(
            "http_requests", "Requests.", ("method", "path", "status"), registry=registry
        )
        self._times = Histogram(
            "http_seconds", "How long they took.", ("method", "path"), registry=registry
        )

    def observe(self, method: str, path: str, status: int, seconds: float) -> None:
        """Count a request that has ended."""
        self._count.labels(method, path, str(status)).inc()
        self._times.labels(method, path).observe(seconds)


def json_logger(stream: TextIO = sys.stdout) -> logging.Logger:
    """Writes JSON lines to a stream."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    logger = logging.getLogger("naive")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False
    return logger

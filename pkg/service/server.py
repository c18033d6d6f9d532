"""The business ports, and what stands before every operation on both."""
# Pydantic reads the annotations below at run time.

from datetime import timedelta
from typing import Annotated

from pydantic import Field, field_validator

from pkg.config import Duration, Settings
from pkg.grpc.settings import GrpcSettings
from pkg.http.settings import HttpSettings
from pkg.idempotency.settings import IdempotencySettings
from pkg.middleware.assemble import DEFAULT_CHAIN, check_names
from pkg.ratelimit.settings import CallLimitSettings
from pkg.replies.settings import ReplyCacheSettings
from pkg.rpc.overrides import OperationSettings
from pkg.shedding.settings import SheddingSettings


class ServerSettings(Settings):
    """The business ports, and what stands before every operation on both."""

    http: HttpSettings = HttpSettings()
    grpc: GrpcSettings = GrpcSettings()
    workers: Annotated[int, Field(ge=1, le=64)] = 1
    """Identical processes that share both ports; above 1 a further one supervises them."""
    chain: tuple[str, ...] = DEFAULT_CHAIN
    """Middlewares, the outermost first."""
    timeout: Annotated[Duration, Field(gt=timedelta())] = timedelta(seconds=10)
    """The longest that a call may take whose proto does not say otherwise."""
    operations: dict[str, OperationSettings] = Field(default_factory=dict)
    """What holds in place of the protos' word, by operation or by prefix: `user.http.v1.*`."""
    limits: CallLimitSettings = CallLimitSettings()
    shedding: SheddingSettings = SheddingSettings()
    idempotency: IdempotencySettings = IdempotencySettings()
    replies: ReplyCacheSettings = ReplyCacheSettings()
    """Of operations that are cached."""

    @field_validator("chain")
    @classmethod
    def _chain_can_be_used(cls, chain: tuple[str, ...]) -> tuple[str, ...]:
        check_names(chain, DEFAULT_CHAIN)
        return chain

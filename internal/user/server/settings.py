"""What the user service can be told. The README lists the keys that most people need."""
# Pydantic reads the annotations below at run time.

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, field_validator

from pkg import captcha as captchas
from pkg.config import ByteSize, Duration, Secret, Settings
from pkg.database import DatabaseSettings
from pkg.grpc import GrpcSettings
from pkg.http.settings import HttpSettings
from pkg.jwt import TokenSettings
from pkg.middleware import DEFAULT_CHAIN, check_names
from pkg.password import PasswordSettings
from pkg.redis import RedisSettings
from pkg.service.settings import StandardSettings
from pkg.throttle import ThrottleSettings

_POSITIVE = timedelta(0)


class ServerSettings(Settings):
    """The business ports, and what stands before every operation on both."""

    http: HttpSettings = HttpSettings()
    grpc: GrpcSettings = GrpcSettings()
    workers: Annotated[int, Field(ge=1, le=64)] = 1
    """Identical processes that share both ports; above 1 a further one supervises them."""
    chain: tuple[str, ...] = DEFAULT_CHAIN
    """Middlewares, the outermost first."""
    timeout: Annotated[Duration, Field(gt=_POSITIVE)] = timedelta(seconds=10)
    """The longest that a call may take whose proto does not say otherwise."""

    @field_validator("chain")
    @classmethod
    def _chain_can_be_used(cls, chain: tuple[str, ...]) -> tuple[str, ...]:
        check_names(chain, DEFAULT_CHAIN)
        return chain


class DataSettings(Settings):
    """Where the process keeps what no server keeps for it."""

    dir: Path = Path(".data/user")
    """SQLite file, embedded Redis, avatars, the signing key of `env: dev`."""


class AuthSettings(TokenSettings):
    """Keys and lifetimes of tokens."""

    refresh_ttl: Annotated[Duration, Field(gt=_POSITIVE)] = timedelta(days=14)
    """How long a session lives without being refreshed."""


class LoginThrottleSettings(Settings):
    """How whoever guesses passwords, or opens accounts in bulk, is slowed down."""

    account: ThrottleSettings = ThrottleSettings()
    """Failures on one account, from wherever they come."""
    address: ThrottleSettings = ThrottleSettings(max_failures=50)
    """Failures from one address, on whatever accounts: a whole office may share it."""


class PolicySettings(Settings):
    """How policies are followed."""

    poll: Annotated[Duration, Field(gt=_POSITIVE)] = timedelta(seconds=1)
    """How often the version of the policies is compared, besides being told of changes."""
    max_stale: Annotated[Duration, Field(gt=_POSITIVE)] = timedelta(minutes=1)
    """Policies that could not be compared for longer allow nothing."""


class SeedSettings(Settings):
    """What the first start makes."""

    admin_name: Annotated[str, Field(min_length=3, max_length=11)] = "admin"
    admin_password: Annotated[Secret, Field(min_length=8, max_length=128)] | None = None
    """Made up and printed once where it is not given."""


class DictionarySettings(Settings):
    """The lists that the web console offers."""

    path: Path | None = None
    """YAML or JSON, read again when it changes; without it the packaged `dict.json`."""


class CaptchaSettings(captchas.CaptchaSettings):
    """Captchas of sign-in and registration."""

    length: Literal[6] = 6
    """What the protos ask for."""


class AvatarSettings(Settings):
    """Pictures of users."""

    max_size: Annotated[ByteSize, Field(gt=0)] = ByteSize.parse("1MiB")


class UserSettings(StandardSettings):
    """Everything that the user service can be told."""

    server: ServerSettings = ServerSettings()
    data: DataSettings = DataSettings()
    database: DatabaseSettings = DatabaseSettings()
    redis: RedisSettings = RedisSettings()
    auth: AuthSettings = AuthSettings()
    password: PasswordSettings = PasswordSettings()
    captcha: CaptchaSettings = CaptchaSettings()
    throttle: LoginThrottleSettings = LoginThrottleSettings()
    policies: PolicySettings = PolicySettings()
    seed: SeedSettings = SeedSettings()
    dictionary: DictionarySettings = DictionarySettings()
    avatar: AvatarSettings = AvatarSettings()

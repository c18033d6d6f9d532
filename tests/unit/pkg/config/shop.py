"""Settings of an invented service, with a key of every kind that tests need."""

from datetime import timedelta
from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator

from pkg.config import ByteSize, Duration, Secret, Settings, Sources


class Http(Settings):
    """A section two levels down."""

    port: int = Field(default=8000, ge=1, le=65535, description="Where it listens.")
    response_profile: Literal["envelope", "problem"] = "envelope"
    max_body: ByteSize = ByteSize.parse("4MiB")
    timeout: Duration = Field(default=timedelta(seconds=30), gt=timedelta())
    """How long a call may take,
    at most.
    """
    trusted: list[str] = Field(default_factory=list)


class Server(Settings):
    """A section that holds a section."""

    http: Http = Http()


class Account(Settings):
    """A secret with rules of its own."""

    name: str = "root"
    password: Secret | None = None
    pin: Secret = Secret("")
    ca_file: Path | None = None

    @field_validator("pin")
    @classmethod
    def _quotes_its_input(cls, pin: Secret) -> Secret:
        if "bad" in pin.get_secret_value():
            raise ValueError(f"{pin.get_secret_value()} will not do")
        return pin


class Shop(Settings):
    """The whole."""

    env: str = "dev"
    title: str = "shop"
    ratio: float = 0.5
    open: bool = True
    server: Server = Server()
    account: Account = Account()
    levels: dict[str, str] = Field(default_factory=dict)
    extras: list[Account] = Field(default_factory=list)


def sources(
    conf: Path | None = None, *sets: str, env: str | None = None, **environ: str
) -> Sources:
    """Sources of the shop, with variables as keywords."""
    return Sources(service="shop", conf=conf, env=env, environ=environ, sets=sets)

"""How access tokens are made and checked."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal, Self

from pydantic import Field, model_validator

from pkg.config import Duration, Secret, Settings

Algorithm = Literal["HS256", "EdDSA", "RS256"]


class KeySettings(Settings):
    """One key: HS256 has a secret, EdDSA and RS256 a private key to sign with, or a public one."""

    kid: str = Field(pattern=r"^[A-Za-z0-9_.-]{1,64}$")
    """Its name, in the header of each token."""
    alg: Algorithm = "HS256"
    secret: Secret | None = None
    """At least 32 bytes."""
    private_key: Secret | None = None
    """PEM."""
    public_key: str | None = None
    """PEM; follows from the private key where that is given."""

    @model_validator(mode="after")
    def _has_what_the_algorithm_needs(self) -> Self:
        symmetric = self.alg == "HS256"
        if symmetric != (self.secret is not None):
            raise ValueError(f"{self.alg} {'needs' if symmetric else 'takes no'} secret")
        if symmetric == (self.private_key is not None or self.public_key is not None):
            raise ValueError(
                f"{self.alg} {'takes no PEM' if symmetric else 'needs privateKey or publicKey'}"
            )
        return self


class RevocationSettings(Settings):
    """How a process knows of revocations: it holds all of them, and follows Redis."""

    max_entries: int = Field(default=100_000, ge=0)
    """Where there are more, each call reads Redis; with 0, always."""
    max_delay: Duration = Field(default=timedelta(seconds=3), ge=timedelta(milliseconds=100))
    """How late a revocation is heard of at most, where the connection to Redis hangs: after so long
    without an answer, each call reads Redis. It is asked three times as often."""


class TokenSettings(Settings):
    """Keys and lifetime of access tokens."""

    keys: tuple[KeySettings, ...] = ()
    """The first signs, all verify. To rotate, put the new one first and leave the old one there for
    `access_ttl`. Without any, `env: dev` makes one and keeps it in the data directory."""
    issuer: str = "py-grpc-layout"
    audience: str = "py-grpc-layout"
    access_ttl: Duration = Field(default=timedelta(minutes=15), gt=timedelta())
    leeway: Duration = Field(default=timedelta(seconds=10), ge=timedelta())
    """How far clocks of two hosts may be apart."""
    cache_size: int = Field(default=4096, ge=0)
    """Verified tokens that are remembered, so that their signature is not computed again."""
    revocations: RevocationSettings = RevocationSettings()

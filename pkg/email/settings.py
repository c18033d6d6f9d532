"""Which mail server, and who we are to it."""
# The annotations below are read at run time, so they are not deferred.

from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Final, Literal, Self

from pydantic import Field, field_validator, model_validator

from pkg.config import Duration, Secret, Settings
from pkg.email.address import Address, is_host

Security = Literal["starttls", "tls", "none"]

_PORTS: Final[dict[Security, int]] = {"starttls": 587, "tls": 465, "none": 25}


class EmailSettings(Settings):
    """One mail server. Without a host no mail is sent."""

    host: str = ""
    port: int | None = Field(default=None, ge=1, le=65535)
    """587 with STARTTLS, 465 with TLS, 25 with none, if not given."""
    security: Security = "starttls"
    """`starttls` and `tls` insist on it, and on a certificate for the host."""
    ca_file: Path | None = None
    """PEM of who else may sign that certificate, beside whom the system trusts."""
    user: str = ""
    """Without one there is no login."""
    password: Secret = Secret("")
    sender: Address | None = Field(default=None, alias="from")
    """The address that mails are from."""
    nickname: str = Field(default="", max_length=100)
    """The name beside the address."""
    hello: str = Field(default="", max_length=253, pattern=r"^[A-Za-z0-9.:\[\]-]*$")
    """What we call ourselves to the server (EHLO); the name of the host if empty."""
    connect_timeout: Duration = Field(default=timedelta(seconds=5), gt=timedelta())
    """Until the server has greeted us."""
    command_timeout: Duration = Field(default=timedelta(seconds=10), gt=timedelta())
    """For each reply."""
    send_timeout: Duration = Field(default=timedelta(seconds=30), gt=timedelta())
    """For a mail as a whole, connecting included."""

    @field_validator("host")
    @classmethod
    def _is_one(cls, host: str) -> str:
        if host and not is_host(host):
            raise ValueError("must be the name or the address of a host, without a port")
        return host

    @field_validator("nickname", "user")
    @classmethod
    def _one_line(cls, text: str) -> str:
        if not text.isprintable():
            raise ValueError("must be one line of text")
        return text

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.host and self.sender is None:
            raise ValueError("mail needs a sender: from")
        if bool(self.user) != bool(self.password.get_secret_value()):
            raise ValueError("user and password come together")
        if self.user and self.security == "none" and not _on_this_host(self.host):
            raise ValueError("a password is only sent in the clear on this host: set security")
        return self

    def port_or_default(self) -> int:
        """Where the server listens."""
        return self.port or _PORTS[self.security]


def _on_this_host(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"

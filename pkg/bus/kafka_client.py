"""How the clients of Kafka connect, and what their errors mean."""

from __future__ import annotations

import ssl
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote, urlsplit

from aiokafka import codec
from aiokafka.errors import (
    CommitFailedError,
    IllegalStateError,
    InvalidTopicError,
    KafkaError,
    MessageSizeTooLargeError,
    RecordListTooLargeError,
    TopicAuthorizationFailedError,
)

from pkg.bus.errors import BusError, LostPartitionError, RejectedError, UnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pkg.bus.settings import KafkaSettings

_PORT: Final = 9092
_REJECTED: Final = (
    MessageSizeTooLargeError,
    RecordListTooLargeError,
    InvalidTopicError,
    TopicAuthorizationFailedError,
)
_LOST: Final = (CommitFailedError, IllegalStateError)


def connection_options(settings: KafkaSettings) -> dict[str, Any]:
    """What every client is told of the cluster.

    Raises:
        ValueError: there is no URL, or it names no host. Does not show it.
    """
    if settings.url is None:
        raise ValueError("no Kafka is configured")
    secure, servers, user, password = _parts(settings.url.get_secret_value())
    options: dict[str, Any] = {"bootstrap_servers": servers, "retry_backoff_ms": 100}
    kind = "SSL" if secure else "PLAINTEXT"
    if user:
        kind = "SASL_SSL" if secure else "SASL_PLAINTEXT"
        options |= {
            "sasl_mechanism": settings.sasl,
            "sasl_plain_username": user,
            "sasl_plain_password": password,
        }
    if secure:
        options["ssl_context"] = ssl.create_default_context(
            cafile=None if settings.ca is None else str(settings.ca)
        )
    return options | {"security_protocol": kind}


def require_codec(compression: str) -> None:
    """Return if messages can be compressed so.

    Raises:
        ValueError: the library for it is not installed.
    """
    if compression in ("none", "gzip"):
        return
    if not getattr(codec, f"has_{compression}")():
        raise ValueError(f"compression {compression} needs the cramjam library")


def meaning(error: BaseException) -> BusError:
    """What an error of a client means to who called it."""
    text = f"{type(error).__name__}: {error}".rstrip(": ")
    if isinstance(error, _REJECTED):
        return RejectedError(text)
    if isinstance(error, _LOST):
        return LostPartitionError(text)
    if isinstance(error, TimeoutError):
        return UnavailableError("no answer in time")
    return UnavailableError(text)


@contextmanager
def translated() -> Iterator[None]:
    """Around calls of a client.

    Raises:
        BusError: in place of whatever the client, or the way to the cluster, failed with.
    """
    try:
        yield
    except (KafkaError, OSError, TimeoutError) as error:
        raise meaning(error) from error


def _parts(url: str) -> tuple[bool, list[str], str, str]:
    scheme, _, rest = url.partition("://")
    login, _, hosts = rest.rstrip("/").rpartition("@")
    user, _, password = login.partition(":")
    servers = []
    for host in hosts.split(","):
        split = urlsplit(f"//{host}")
        if not split.hostname:
            raise ValueError("the Kafka URL names no host")
        name = f"[{split.hostname}]" if ":" in split.hostname else split.hostname
        servers.append(f"{name}:{split.port or _PORT}")
    return scheme == "kafkas", servers, unquote(user), unquote(password)

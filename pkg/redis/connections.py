"""Connections that hear of every cancellation, and write commands in C.

redis-py sends within `asyncio.wait_for`. That of Python 3.11 forgets a cancellation that comes when
what it waits for is just done, so that a task which only talks to Redis may never end; and it makes
a task of its own for every command. Its asyncio half has hiredis read, and not write.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

import hiredis
from redis.asyncio.connection import Connection, SSLConnection, UnixDomainSocketConnection
from redis.asyncio.sentinel import SentinelManagedConnection, SentinelManagedSSLConnection
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import DataError
from redis.exceptions import TimeoutError as RedisTimeoutError

if TYPE_CHECKING:
    from collections.abc import Iterable

    _Base = Connection
else:
    _Base = object


class _Sending(_Base):
    """In front of a class of redis-py: sends within `asyncio.timeout` what hiredis has packed."""

    def pack_command(self, *args: Any) -> list[bytes]:
        """A command as it goes over the wire; its name may be several words."""
        name, *rest = args
        words = (name.encode() if isinstance(name, str) else name).split()
        try:
            return [hiredis.pack_command((*words, *rest))]
        except TypeError as error:
            raise DataError(f"{name}: {error}") from error

    async def send_packed_command(
        self, command: bytes | str | Iterable[bytes], check_health: bool = True
    ) -> None:
        me: Any = self  # redis-py's methods have no types
        if not me.is_connected:
            await me.connect_check_health(check_health=False)
        if check_health:
            await me.check_health()
        if isinstance(command, str):
            command = command.encode()
        try:
            async with asyncio.timeout(me.socket_timeout):
                await me._send_packed_command([command] if isinstance(command, bytes) else command)
        except TimeoutError:
            await me.disconnect(nowait=True)
            raise RedisTimeoutError("Timeout writing to socket") from None
        except OSError as error:
            await me.disconnect(nowait=True)
            raise RedisConnectionError(f"{error} while writing to socket") from error
        except BaseException:
            await me.disconnect(nowait=True)  # a part of the command may have been sent
            raise


class _Tcp(_Sending, Connection):
    """To one server."""


class _Tls(_Sending, SSLConnection):
    """To one server."""


class _Unix(_Sending, UnixDomainSocketConnection):
    """To one server on this host."""


class _Sentinel(_Sending, SentinelManagedConnection):
    """To whichever server is the master."""


class _SentinelTls(_Sending, SentinelManagedSSLConnection):
    """To whichever server is the master."""


CLASSES: Final[dict[type[Any], type[Any]]] = {
    Connection: _Tcp,
    SSLConnection: _Tls,
    UnixDomainSocketConnection: _Unix,
    SentinelManagedConnection: _Sentinel,
    SentinelManagedSSLConnection: _SentinelTls,
}
"""By the class of redis-py that each stands for."""

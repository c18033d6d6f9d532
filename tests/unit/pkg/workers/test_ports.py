"""Ports that several processes listen on, and nobody else."""

from __future__ import annotations

import socket
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from pkg.app.listener import ListenError, listen
from pkg.workers import Ports

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

HOST = "127.0.0.1"


@asynccontextmanager
async def held(**wanted: int) -> AsyncIterator[Ports]:
    ports = Ports({name: (HOST, port) for name, port in wanted.items()})
    await ports.start()
    try:
        yield ports
    finally:
        await ports.stop()


async def test_a_free_port_is_one_that_several_can_listen_on() -> None:
    async with held(http=0, grpc=0) as ports:
        assert ports["http"] != ports["grpc"]
        with (
            listen(HOST, ports["http"], reuse_port=True),
            listen(HOST, ports["http"], reuse_port=True),
        ):
            pass


async def test_connections_come_to_those_that_listen_alone() -> None:
    async with held(http=0) as ports:
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((HOST, ports["http"]), timeout=5)
        with listen(HOST, ports["http"], reuse_port=True) as listener:
            for _ in range(20):
                with socket.create_connection((HOST, ports["http"]), timeout=5):
                    listener.setblocking(True)
                    listener.accept()[0].close()


@pytest.mark.parametrize("reuse_port", [True, False])
async def test_a_port_that_somebody_listens_on_is_refused(reuse_port: bool) -> None:
    with listen(HOST, 0, reuse_port=reuse_port) as other:
        port = other.getsockname()[1]
        with pytest.raises(ListenError, match=f"cannot listen on {HOST}:{port}: .*in use"):
            async with held(http=0, grpc=port):
                pass

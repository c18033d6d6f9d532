"""Sockets that listen before anything is served on them."""

from __future__ import annotations

import socket

import pytest

from pkg.app.listener import ListenError, address, listen


def test_address_of_version_6_has_brackets() -> None:
    assert address("::1", 80) == "[::1]:80"


@pytest.mark.skipif(not socket.has_ipv6, reason="the host has no IPv6")
def test_every_address_means_version_4_as_well() -> None:
    try:
        sock = listen("::", 0)
    except ListenError:
        pytest.skip("the host has no IPv6")
    with sock, socket.create_connection(("127.0.0.1", sock.getsockname()[1]), timeout=5):
        pass

"""Replies as they are kept."""

from __future__ import annotations

import pytest

from pkg.rpc import kept


@pytest.mark.parametrize("headers", [[], [("x-a", "1"), ("x-a", "é"), ("x-b", "")]])
@pytest.mark.parametrize("payload", [b"", b"\x00\xff[]"])
def test_headers_and_payload_come_back(headers: kept.Headers, payload: bytes) -> None:
    assert kept.unpack(kept.pack(headers, payload)) == (headers, payload)


def test_without_headers_a_reply_is_four_bytes_longer_than_its_message() -> None:
    assert len(kept.pack([], b"12345")) == 9


@pytest.mark.parametrize(
    "data", [b"", b"\0\0\0", b"\0\0\0\x02[", b"\0\0\0\x02{]x", b"\0\0\0\x03[1]"]
)
def test_anything_else_is_refused(data: bytes) -> None:
    with pytest.raises((ValueError, TypeError)):
        kept.unpack(data)

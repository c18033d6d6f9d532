"""Request headers as a mapping."""

from __future__ import annotations

import pytest

from pkg.http.headers import Headers


def test_a_header_is_found_by_its_name() -> None:
    headers = Headers([(b"x-a", b"1"), (b"x-b", "ü".encode("latin-1"))])

    assert headers["x-a"] == "1"
    assert headers.get("x-b") == "ü"
    assert headers.raw(b"x-a") == b"1"
    assert dict(headers) == {"x-a": "1", "x-b": "ü"}
    assert len(headers) == 2


def test_what_is_not_there_is_not_there() -> None:
    headers = Headers([])

    assert headers.get("x-a") is None
    assert headers.get("x-张", "default") == "default"
    assert "x-a" not in headers
    with pytest.raises(KeyError):
        headers["x-a"]


def test_a_repeated_header_is_one_list() -> None:
    headers = Headers([(b"x-a", b"1"), (b"cookie", b"a=1"), (b"x-a", b"2"), (b"cookie", b"b=2")])

    assert dict(headers) == {"x-a": "1, 2", "cookie": "a=1; b=2"}

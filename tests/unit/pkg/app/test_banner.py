"""The banner reads well on a terminal and among logs."""

from __future__ import annotations

import io
import re
from dataclasses import replace

from pkg.app import Banner, Credentials, render, show

BANNER = Banner(
    service="user",
    version="1.2",
    env="dev",
    places={
        "HTTP": "http://127.0.0.1:8000",
        "Docs": "http://127.0.0.1:8000/docs",
        "gRPC": "",
        "Data": "/data/数据",
    },
)
FIRST = replace(BANNER, credentials=Credentials(login="admin", password="s3cret"))


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def columns(line: str) -> int:
    bare = re.sub(r"\x1b\[\d+m", "", line)
    return sum(2 if "\u4e00" <= char <= "\u9fff" else 1 for char in bare)


def test_plain_lines_name_every_place_there_is() -> None:
    assert render(BANNER, terminal=False).splitlines() == [
        "user 1.2 (dev) is up",
        "  HTTP: http://127.0.0.1:8000",
        "  Docs: http://127.0.0.1:8000/docs",
        "  Data: /data/数据",
    ]


def test_plain_lines_tell_the_first_password() -> None:
    said = render(FIRST, terminal=False)
    assert "log in as admin with the password s3cret" in said
    assert "\x1b" not in said


def test_frame_is_straight() -> None:
    lines = render(FIRST, terminal=True).splitlines()
    assert len({columns(line) for line in lines}) == 1
    assert any("s3cret" in line for line in lines)
    assert any("http://127.0.0.1:8000/docs" in line for line in lines)


def test_frame_without_places_is_a_title() -> None:
    assert len(render(replace(BANNER, places={}), terminal=True).splitlines()) == 4


def test_stream_decides_on_the_manner() -> None:
    plain, terminal = io.StringIO(), Terminal()
    show(BANNER, plain)
    show(BANNER, terminal)
    assert plain.getvalue() == render(BANNER, terminal=False)
    assert terminal.getvalue() == render(BANNER, terminal=True)


def test_stream_that_cannot_write_everything_gets_what_it_can() -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")
    show(BANNER, stream)
    assert b"/data/??" in raw.getvalue()


def test_password_is_not_in_the_representation() -> None:
    assert "s3cret" not in repr(FIRST)

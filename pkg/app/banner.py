"""What a human wants to know when a service has started: where to go, and how to get in.

Shown on standard error, so that standard output holds log lines only. On a terminal it is a frame
with colours, elsewhere plain lines that read well among logs.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TextIO

if TYPE_CHECKING:
    from collections.abc import Mapping

_BOLD: Final = "1"
_DIM: Final = "2"
_CYAN: Final = "36"
_YELLOW: Final = "33"


@dataclass(frozen=True, slots=True)
class Credentials:
    """How to get in the first time. Known only then."""

    login: str
    password: str = field(repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class Banner:
    """What there is to know."""

    service: str
    version: str
    env: str
    places: Mapping[str, str]
    """Label to address or path, in order: `HTTP`, `Docs`, `gRPC`, `Admin`, `Data`, `Config`."""
    credentials: Credentials | None = None
    """Of the first administrator, on the first start."""


def render(banner: Banner, *, terminal: bool) -> str:
    """The banner as text that ends in a newline."""
    rows = [(label, place) for label, place in banner.places.items() if place]
    title = f"{banner.service} {banner.version} ({banner.env})"
    if not terminal:
        lines = [f"{title} is up", *(f"  {label}: {place}" for label, place in rows)]
        if banner.credentials is not None:
            lines.append(
                f"  First start: log in as {banner.credentials.login} with the password "
                f"{banner.credentials.password} - it is shown this once."
            )
        return "\n".join(lines) + "\n"
    wide = max((_width(label) for label, _ in rows), default=0)
    plain = [f"{label}{' ' * (wide - _width(label))}  {place}" for label, place in rows]
    painted = [
        _paint(text[: len(text) - len(place)], _DIM) + _paint(place, _CYAN)
        for text, (_, place) in zip(plain, rows, strict=True)
    ]
    if banner.credentials is not None:
        notes = [
            "",
            f"First start: log in as {banner.credentials.login}",
            f"with the password {banner.credentials.password}",
            "It is shown this once.",
        ]
        plain += notes
        painted += [_paint(note, _YELLOW) if note else "" for note in notes]
    return _frame(title, plain, painted)


def show(banner: Banner, stream: TextIO) -> None:
    """Write the banner to a stream, in the manner that suits it."""
    text = render(banner, terminal=stream.isatty())
    encoding = stream.encoding or "utf-8"
    stream.write(text.encode(encoding, "replace").decode(encoding))
    stream.flush()


def _frame(title: str, plain: list[str], painted: list[str]) -> str:
    inner = max(map(_width, (title, *plain)))
    bar = "─" * (inner + 4)
    lines = [f"╭{bar}╮", f"│  {_paint(title, _BOLD)}{' ' * (inner - _width(title))}  │", f"├{bar}┤"]
    lines += [
        f"│  {colour}{' ' * (inner - _width(text))}  │"
        for text, colour in zip(plain, painted, strict=True)
    ]
    return "\n".join((*lines, f"╰{bar}╯")) + "\n"


def _width(text: str) -> int:
    """Columns on a terminal: Chinese characters take two."""
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


def _paint(text: str, colour: str) -> str:
    return f"\x1b[{colour}m{text}\x1b[0m"

"""Draws stacks as a flame graph: an SVG that needs nothing else, titles when the mouse is over."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

WIDTH: Final = 1200
ROW: Final = 15
_LETTER: Final = 6.2
"""Pixels, of the font below."""
_NARROWEST: Final = 0.8
"""Pixels; narrower boxes are left out."""
_COLOURS: Final = {
    "pkg/": "#e4572e",
    "internal/": "#e4572e",
    "tests/": "#f3a712",
    "api/": "#e4572e",
    "redis/": "#a23b72",
    "fastapi/": "#2e86ab",
    "starlette/": "#2e86ab",
    "uvicorn/": "#76b041",
    "opentelemetry/": "#8d6cab",
    "casbin/": "#c06014",
}
_OTHER: Final = "#b8b8aa"


@dataclass(slots=True)
class _Box:
    hits: int = 0
    below: dict[str, _Box] = field(default_factory=dict)


def parse(text: str, *, start: str) -> Counter[str]:
    """Stacks from lines `a;b;c HITS`, each from the first frame that begins with `start` on."""
    stacks: Counter[str] = Counter()
    for line in text.splitlines():
        stack, _, hits = line.rpartition(" ")
        frames = stack.split(";")
        first = next((at for at, frame in enumerate(frames) if frame.startswith(start)), None)
        if first is not None:
            stacks[";".join(frames[first:])] += int(hits)
    return stacks


def draw(charts: Mapping[str, tuple[Counter[str], float]]) -> str:
    """One above the other, by title; the number beside is the share of the width that it gets."""
    parts: list[str] = []
    top = 10
    for title, (stacks, share) in charts.items():
        root = _tree(stacks)
        depth = _depth(root)
        parts.append(f'<text x="10" y="{top + 14}" class="t">{escape(title)}</text>')
        bottom = top + 24 + depth * ROW
        parts.extend(_boxes(root, 10.0, (WIDTH - 20) * share, bottom, root.hits))
        top = bottom + ROW + 16
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {top}" '
        f'width="{WIDTH}" height="{top}">'
        "<style>text{font:10px monospace;fill:#111}.t{font:bold 13px sans-serif}"
        "rect{stroke:#fff;stroke-width:.4}</style>"
        f'<rect width="{WIDTH}" height="{top}" fill="#fff"/>'
    )
    return "\n".join([head, *parts, "</svg>", ""])


def _tree(stacks: Counter[str]) -> _Box:
    root = _Box()
    for stack, hits in sorted(stacks.items()):
        at = root
        at.hits += hits
        for frame in stack.split(";"):
            at = at.below.setdefault(frame, _Box())
            at.hits += hits
    return root


def _depth(box: _Box) -> int:
    return 1 + max((_depth(each) for each in box.below.values()), default=0)


def _boxes(box: _Box, left: float, width: float, bottom: float, whole: int) -> Iterator[str]:
    for name, each in box.below.items():
        wide = width * each.hits / box.hits
        if wide < _NARROWEST:
            continue
        top = bottom - ROW
        share = f"{each.hits / whole:.1%}"
        yield (
            f'<g><title>{escape(name)} {share}</title><rect x="{left:.1f}" y="{top:.0f}" '
            f'width="{wide:.1f}" height="{ROW - 1}" fill="{_colour(name)}"/>'
        )
        room = int(wide / _LETTER)
        if room > 4:
            label = escape(name.rpartition(":")[2][:room])
            yield f'<text x="{left + 2:.1f}" y="{top + 10:.0f}">{label}</text>'
        yield "</g>"
        yield from _boxes(each, left, wide, top, whole)
        left += wide


def _colour(name: str) -> str:
    return next((colour for start, colour in _COLOURS.items() if name.startswith(start)), _OTHER)

"""Alerts cut to a size that may wait in memory and go by mail."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Final

from pkg.alert.alert import Alert, Attachment
from pkg.alert.letter import Shortened

if TYPE_CHECKING:
    from collections.abc import Sequence

MAX_TITLE: Final = 150
"""Characters of a title."""
MAX_TOPIC: Final = 64
_MAX_NAME: Final = 100
_MAX_ATTACHMENTS: Final = 10
_WORTH_CUTTING: Final = 1024
"""Bytes; less of a text says nothing."""


def bounded(
    alert: Alert, *, max_detail: int, max_attachments: int
) -> tuple[Alert, tuple[Shortened, ...]]:
    """The alert within bounds, and what of its attachments is missing."""
    attachments, shortened = _attachments(alert.attachments, max_attachments)
    cut = dataclasses.replace(
        alert,
        topic=one_line(alert.topic, MAX_TOPIC),
        title=one_line(alert.title, MAX_TITLE),
        detail=without_middle(alert.detail, max_detail),
        trace_id=one_line(alert.trace_id, MAX_TOPIC),
        attachments=attachments,
    )
    return cut, shortened


def one_line(text: str, most: int) -> str:
    """The text without line breaks and other control characters, and not longer than that."""
    line = " ".join(text[: most + 1].split())
    line = "".join(each if each.isprintable() else "?" for each in line)
    return line if len(text) <= most else f"{line[: most - 1]}…"


def without_middle(text: str, most: int) -> str:
    """Begin and end of a text: those of a stack tell the most."""
    if len(text) <= most:
        return text
    head = most // 3
    tail = most - head
    return f"{text[:head]}\n… ({len(text) - most} more) …\n{text[-tail:]}"


def _attachments(
    attachments: Sequence[Attachment], most: int
) -> tuple[tuple[Attachment, ...], tuple[Shortened, ...]]:
    kept: list[Attachment] = []
    shortened: list[Shortened] = []
    left = most
    for each in attachments:
        size = len(each.content)
        content = each.content
        if size > left or len(kept) == _MAX_ATTACHMENTS:
            is_text = each.media_type.startswith("text/")
            room = left if len(kept) < _MAX_ATTACHMENTS else 0
            content = content[:room] if is_text and room >= _WORTH_CUTTING else b""
            shortened.append(Shortened(one_line(each.name, _MAX_NAME), size, len(content)))
            if not content:
                continue
        left -= len(content)
        kept.append(Attachment(one_line(each.name, _MAX_NAME), bytes(content), each.media_type))
    return tuple(kept), tuple(shortened[:_MAX_ATTACHMENTS])

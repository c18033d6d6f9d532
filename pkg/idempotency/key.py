"""The header that says: however often this comes, do it once."""

from __future__ import annotations

import re
from typing import Final

HEADER: Final = "idempotency-key"

_LONGEST: Final = 255
_QUOTED: Final = re.compile(r'"((?:[!#-\[\]-~]|\\["\\])+)"', re.ASCII)
_PLAIN: Final = re.compile(r"[!#-\[\]-~]+", re.ASCII)
_ESCAPED: Final = re.compile(r"\\(.)", re.ASCII)
_LONGEST_HEADER: Final = 2 * _LONGEST + 2


def key_of(header: str) -> str | None:
    """The key in the header's value; None if there is none.

    The IETF draft has a string of RFC 8941, in quotes, within which `"` and `\\` are written as
    `\\"` and `\\\\`; most clients send the text as it is, which is the same key. It has 1 to 255
    visible characters of ASCII. A header that came twice is a list, and no key.
    """
    if len(header) > _LONGEST_HEADER:
        return None
    text = header.strip(" \t")
    if _PLAIN.fullmatch(text):
        key = text
    elif found := _QUOTED.fullmatch(text):
        key = _ESCAPED.sub(r"\1", found[1])
    else:
        return None
    return key if len(key) <= _LONGEST else None

"""JSON text to Python values, refusing what a schema could not refuse afterwards.

Beyond RFC 8259: no key may come twice (readers disagree which counts), nesting is bounded, lone
surrogates and numbers that are infinite as a double are refused. Time is linear in the text.
"""

from __future__ import annotations

import json
import re
from typing import Any

import orjson

from pkg.proto.misfit import DISTINCT, DOCUMENT, SHALLOW, Misfit

_KEY = re.compile(rb'"[ \t\r\n]*:')
_DEEPEST = 100


def parse(body: bytes) -> Any:
    """What the text says: dict, list, str, int, float, bool or None.

    An integer beyond 64 bits comes as a float, which no integer field takes.

    Raises:
        Misfit: it is no JSON, says a key twice, or nests deeper than 100 levels.
    """
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise Misfit("", DOCUMENT) from None
    # Each key has a colon: if there are no more colons than keys left, no key was lost. Each level
    # has a bracket.
    colons = body.count(b":")
    if (
        type(found) is dict
        and colons == len(found)
        and body.count(b"[") + body.count(b"{") <= _DEEPEST
    ):
        return found
    keys = _keys(found, _DEEPEST)
    if colons != keys and len(_KEY.findall(body)) != keys:
        _look_for_twins(body)
    return found


def _keys(value: Any, levels: int) -> int:
    """How many keys there are at and below a value."""
    count = 0
    if type(value) is dict:
        count = len(value)
        value = value.values()
    elif type(value) is not list:
        return 0
    if levels == 0:
        raise Misfit("", SHALLOW)
    for item in value:
        if type(item) is dict or type(item) is list:
            count += _keys(item, levels - 1)
    return count


def _look_for_twins(body: bytes) -> None:
    def distinct(pairs: list[tuple[str, Any]]) -> None:
        if len({key for key, _ in pairs}) != len(pairs):
            raise Misfit("", DISTINCT)

    # Numbers are of no interest here, and a long one would take its time.
    json.loads(body, object_pairs_hook=distinct, parse_int=len, parse_float=len)

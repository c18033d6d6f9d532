"""Cursors: where a page ended, as a text that callers carry and do not read.

Not signed: whoever makes one up gets another page of what the query finds anyway, or is refused.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from typing import TYPE_CHECKING, Any, Final

import orjson

from pkg.search.errors import RefusedError

if TYPE_CHECKING:
    from pkg.search.index import Index
    from pkg.search.query import Query

_LONGEST: Final = 8192
"""Characters."""
_REFUSED: Final = "not a cursor of this query"


def write(adapter: str, index: Index[Any], query: Query, values: list[Any]) -> str:
    """A cursor.

    Args:
        adapter: that can read it.
        index: searched.
        query: that the cursor goes on with.
        values: by which the last hit was sorted, its id last.
    """
    raw = orjson.dumps([_print(adapter, index, query), values])
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def read(adapter: str, index: Index[Any], query: Query) -> list[Any] | None:
    """The values of the query's cursor; None if it has none.

    Raises:
        RefusedError: it is no cursor of this query.
    """
    text = query.cursor
    if not text:
        return None
    if len(text) > _LONGEST:
        raise RefusedError("cursor", _REFUSED)
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        found = orjson.loads(raw)
    except (binascii.Error, ValueError) as error:
        raise RefusedError("cursor", _REFUSED) from error
    match found:
        case [str(fingerprint), [*values, str(last)]] if (
            fingerprint == _print(adapter, index, query)
            and len(values) == max(1, len(query.sort)) - (not (query.sort or query.text.strip()))
            and all(map(_is_value, values))
        ):
            return [*values, last]
    raise RefusedError("cursor", _REFUSED)


def _is_value(value: Any) -> bool:
    if isinstance(value, int):
        return -(1 << 63) <= value < 1 << 63
    return value is None or isinstance(value, str | float)


def _print(adapter: str, index: Index[Any], query: Query) -> str:
    """The same for queries that find the same in the same order."""
    asked = (adapter, index.name, query.text, query.fields, query.where, query.sort)
    return hashlib.sha256(repr(asked).encode(errors="replace")).hexdigest()[:16]

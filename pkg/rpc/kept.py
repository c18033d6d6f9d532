"""A reply as it is kept, to be given again: the headers that belong to it, and its message.

Headers that the handler added belong to the reply. What the chain around it adds belongs to the
call, whoever made the reply: its request id, what is left of a limit.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

import orjson

if TYPE_CHECKING:
    from collections.abc import Sequence

_SIZE: Final = struct.Struct("!I")

Headers = list[tuple[str, str]]


def pack(headers: Sequence[tuple[str, str]], payload: bytes) -> bytes:
    """One piece of bytes of both."""
    if not headers:
        return bytes(_SIZE.size) + payload
    text = orjson.dumps(headers)
    return b"".join((_SIZE.pack(len(text)), text, payload))


def unpack(data: bytes) -> tuple[Headers, bytes]:
    """The headers and the payload of what was packed.

    Raises:
        ValueError, TypeError: it is not that.
    """
    if len(data) < _SIZE.size:
        raise ValueError("too short for a kept reply")
    (size,) = _SIZE.unpack_from(data)
    if not size:
        return [], data[_SIZE.size :]
    end = _SIZE.size + size
    if len(data) < end:
        raise ValueError("a kept reply is cut off")
    return [(name, value) for name, value in orjson.loads(data[_SIZE.size : end])], data[end:]

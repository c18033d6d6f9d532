"""How replies are kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from pkg.rpc import kept

if TYPE_CHECKING:
    from collections.abc import Callable


class Reply(NamedTuple):
    """A reply message, and the headers that its handler sends along."""

    headers: kept.Headers
    message: Any


class ReplyCodec:
    """A `pkg.cache.Codec` of the replies of one operation."""

    def __init__(self, encode: Callable[[Any], bytes], decode: Callable[[bytes], Any]) -> None:
        """Take the two ways between a message and bytes."""
        self._encode = encode
        self._decode = decode

    def encode(self, value: Reply) -> bytes:
        """The bytes of a reply."""
        return kept.pack(value.headers, self._encode(value.message))

    def decode(self, data: bytes) -> Reply:
        """The reply of bytes; raises whatever it likes if they are none."""
        headers, payload = kept.unpack(data)
        return Reply(headers, self._decode(payload))

"""A signed token taken apart (RFC 7515, compact form), and the check of its signature.

PyJWT signs, and its algorithms verify. What it does around that for each token that it reads, from
preparing the key anew to looking at each letter in Python, twice, takes ten times as long.
"""

from __future__ import annotations

import binascii
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Self

import orjson

import jwt

if TYPE_CHECKING:
    from collections.abc import Callable

    from pkg.jwt.keys import Key

_TO_STANDARD: Final = bytes.maketrans(b"-_+/=", b"+/!!!")
"""From the alphabet of URLs to that of base64; what is of that alone, and padding, is none."""
_TO_URLS: Final = bytes.maketrans(b"+/", b"-_")
_UNKNOWN: Final = ("crit", "b64")
"""Members of a header that change what the token means: none of ours has them."""


class SignedToken(NamedTuple):
    """The parts of a token. Nothing of it is to be believed before its signature is checked."""

    header: dict[str, Any]
    payload: bytes
    """JSON, or so it claims."""
    signed: bytes
    signature: bytes

    @classmethod
    def parse(cls, token: str) -> Self:
        """Take it apart.

        Raises:
            ValueError: it is no signed token.
        """
        signed, _, signature = token.encode("ascii").rpartition(b".")
        head, _, payload = signed.partition(b".")
        header = orjson.loads(_decoded(head))
        if type(header) is not dict or any(name in header for name in _UNKNOWN):
            raise ValueError("not a header of a token of ours")
        return cls(header, _decoded(payload), signed, _decoded(signature))


class SignatureCheck:
    """Verifies by one key. May be shared by threads."""

    def __init__(self, key: Key) -> None:
        """Prepare nothing before the first token: commands that need no key have a void one."""
        self._given = key
        self._verify: Callable[[bytes, bytes], bool] | None = None

    def check(self, token: SignedToken) -> None:
        """Return if the key has signed the token.

        Raises:
            ValueError: it has not; or the token is of another algorithm than the key.
            jwt.PyJWTError: the key is none for its algorithm.
        """
        if token.header.get("alg") != self._given.alg:
            raise ValueError("not of the algorithm of its key")
        verify = self._verify or self._prepare()
        if not verify(token.signed, token.signature):
            raise ValueError("not signed with its key")

    def _prepare(self) -> Callable[[bytes, bytes], bool]:
        algorithm = jwt.get_algorithm_by_name(self._given.alg)
        key: Any = algorithm.prepare_key(self._given.verifying)

        def verify(signed: bytes, signature: bytes) -> bool:
            return bool(algorithm.verify(signed, key, signature))

        self._verify = verify
        return verify


def _decoded(segment: bytes) -> bytes:
    """What base64url without padding says; there is one way to say it."""
    standard = segment.translate(_TO_STANDARD) + b"=" * (-len(segment) % 4)
    found = binascii.a2b_base64(standard, strict_mode=True)
    if binascii.b2a_base64(found, newline=False).translate(_TO_URLS).rstrip(b"=") != segment:
        raise ValueError("bits are left over")
    return found

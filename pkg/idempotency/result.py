"""What came of a call, as it is kept: a reply, or the fault that the caller has to know."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import orjson

from pkg.errors import Fault, Violation
from pkg.rpc import kept

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_REPLY: Final = b"r"
_FAULT: Final = b"f"
_TOO_LARGE: Final = b"l"


class NotKeptError(Exception):
    """A call was served, but what came of it cannot be told again; says why.

    It must not be served twice, so this is a defect: `maxResult` is too small for the operation, or
    another version of the code kept what this one cannot read.
    """


class Results:
    """Writes and reads the results of one operation."""

    def __init__(
        self, encode: Callable[[Any], bytes], decode: Callable[[bytes], Any], longest: int
    ) -> None:
        """Take the two ways between a reply and bytes; `longest`: of a result, in bytes."""
        self._encode = encode
        self._decode = decode
        self._longest = longest

    def of_reply(self, reply: Any, headers: Sequence[tuple[str, str]]) -> bytes:
        """A reply with the headers that belong to it."""
        return self._bounded(_REPLY + kept.pack(headers, self._encode(reply)))

    def of_fault(self, fault: Fault, headers: Sequence[tuple[str, str]]) -> bytes:
        """A refusal; its text is made anew, in the language of whoever asks again."""
        facts = {
            "reason": fault.reason,
            "detail": fault.detail,
            "violations": fault.violations,
            "metadata": dict(fault.metadata),
        }
        return self._bounded(_FAULT + kept.pack(headers, orjson.dumps(facts)))

    def too_large(self, result: bytes) -> bool:
        """Whether this stands for a result that was not kept."""
        return result == _TOO_LARGE

    def read(self, result: bytes) -> tuple[Any, list[tuple[str, str]]]:
        """The reply or the `Fault` that was kept, and the headers that belong to it.

        Raises:
            NotKeptError: it was too large, or is not to be read.
        """
        if self.too_large(result):
            raise NotKeptError(f"the result was larger than {self._longest} bytes")
        try:
            headers, payload = kept.unpack(result[1:])
            if result[:1] == _REPLY:
                return self._decode(payload), headers
            if result[:1] == _FAULT:
                return _fault(orjson.loads(payload)), headers
        except Exception as error:
            # Any: a decoder raises what it likes.
            raise NotKeptError("the result cannot be read") from error
        raise NotKeptError("the result is of another kind")

    def _bounded(self, result: bytes) -> bytes:
        return result if len(result) <= self._longest else _TOO_LARGE


def _fault(facts: Any) -> Fault:
    return Fault(
        facts["reason"],
        facts["detail"],
        violations=tuple(Violation(**violation) for violation in facts["violations"]),
        metadata=facts["metadata"],
    )

"""Which calls may be made twice.

Nobody knows whether a call that failed was done. Only what changes nothing is made again, and what
the other side knows again by its idempotency key.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pkg.proto.options import Idempotency

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pkg.rpc.operation import Operation

IDEMPOTENCY_KEY: Final = "idempotency-key"

_CHANGE_NOTHING: Final = frozenset({"GET", "HEAD"})


def changes_nothing(operation: Operation) -> bool:
    """Does the operation say so? By a GET binding, or by a cache."""
    return operation.cached is not None or any(
        rule.method in _CHANGE_NOTHING for rule in operation.rules
    )


def known_again(operation: Operation, headers: Mapping[str, str] | None) -> bool:
    """Does the call carry a key, and does the other side look at it?"""
    keyed = operation.idempotency is not Idempotency.NONE
    return keyed and bool(headers and headers.get(IDEMPOTENCY_KEY))

"""The port: where operation records go."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pkg.audit.record import Record


class AuditSink(Protocol):
    """Keeps records."""

    async def write(self, records: Sequence[Record]) -> None:
        """Return when all of these are kept, those of one subject in this order.

        Ends within a bound of its own. A record that is written again keeps its id.

        Raises:
            NotWrittenError: some are not known to be kept; says which. Nothing tries on.
        """
        ...


class NotWrittenError(Exception):
    """Some records are not known to be kept; those not named here are."""

    def __init__(self, why: str, *, left: Sequence[Record], refused: Sequence[Record] = ()) -> None:
        """`left`: may be written later, in this order; `refused`: will never be taken."""
        self.left = tuple(left)
        self.refused = tuple(refused)
        super().__init__(f"{len(self.left) + len(self.refused)} records not written: {why}")

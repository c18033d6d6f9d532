"""Writing one row and reading it back, to measure the whole path."""

from __future__ import annotations

from typing import TYPE_CHECKING

from internal.user import ecode
from internal.user.biz.perf import PerfRecord

if TYPE_CHECKING:
    from internal.user.biz.actor import Actor
    from internal.user.biz.unit_of_work import Transactions


class ProbeUsecase:
    """Runs the probe."""

    def __init__(self, *, transactions: Transactions) -> None:
        self._transactions = transactions

    async def run(self, actor: Actor, text: str) -> PerfRecord:
        """Write a row in the actor's name; returns it as the database has it.

        Raises:
            Fault: PERF_FAILED, where the actor's account is gone.
        """
        async with self._transactions.writing(by=actor.uid) as work:
            user = await work.users.get(actor.uid)
            if user is None:
                raise ecode.perf_failed()
            row = await work.perf.add(PerfRecord(user.uid, user.user_name, user.motto, text))
            record = await work.perf.get(row)
        if record is None:
            raise ecode.perf_failed()
        return record

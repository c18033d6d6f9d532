"""What only the store in memory does."""

from __future__ import annotations

from datetime import timedelta

from pkg.clock import FakeClock
from pkg.idempotency import Claim, MemoryIdempotencyStore, State

LEASE = timedelta(seconds=30)


async def test_beyond_its_capacity_the_oldest_key_is_forgotten() -> None:
    store = MemoryIdempotencyStore(FakeClock(), capacity=2)
    for key in ("a", "b"):
        await store.begin(Claim(key, b"", "first"), LEASE)
    await store.finish(Claim("a", b"", "first"), b"", LEASE)  # now the youngest
    await store.begin(Claim("c", b"", "first"), LEASE)

    states = [(await store.begin(Claim(key, b"", "second"), LEASE)).state for key in ("a", "c")]
    assert states == [State.DONE, State.RUNNING]
    assert (await store.begin(Claim("b", b"", "second"), LEASE)).state is State.BEGUN

"""How long collections take."""

from __future__ import annotations

import gc

from pkg.holmes.garbage import Collections


def test_collections_of_the_oldest_generation_are_timed() -> None:
    times = iter([10.0, 10.5, 20.0, 20.2])
    seen = Collections(lambda: next(times))

    for phase in ("start", "stop") * 2:
        seen.listen(phase, {"generation": 2})
        seen.listen(phase, {"generation": 0})

    assert seen.count == 2
    assert (round(seen.seconds, 6), seen.longest) == (0.7, 0.5)


def test_the_collector_is_listened_to_from_start_to_stop() -> None:
    seen = Collections()
    seen.start()
    gc.collect()
    seen.stop()
    gc.collect()

    assert seen.count == 1
    assert seen.seconds > 0
    assert seen.listen not in gc.callbacks

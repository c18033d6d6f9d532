"""What threads and tasks are doing, as text."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

from pkg.profile import task_stacks, thread_stacks
from pkg.profile.stacks import MAX_GROUPS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


def wait_for(over: threading.Event, begun: threading.Barrier) -> None:
    begun.wait()
    over.wait()


def started(count: int, over: threading.Event) -> list[threading.Thread]:
    begun = threading.Barrier(count + 1)
    threads = [
        threading.Thread(target=wait_for, args=(over, begun), name=f"waiter-{index}")
        for index in range(count)
    ]
    for thread in threads:
        thread.start()
    begun.wait()
    notes = {thread.ident or 0: "" for thread in threads}
    while "begun.wait()" in thread_stacks(notes, only_noted=True):
        pass  # until all have come to the next line
    return threads


async def test_threads_are_shown_with_their_names_and_source() -> None:
    over = threading.Event()
    (thread,) = started(1, over)
    try:
        text = await asyncio.to_thread(thread_stacks, {thread.ident or 0: "is the one"})
    finally:
        over.set()
        thread.join()

    assert text.startswith("1 thread: waiter-0 (")
    assert ") is the one\n" in text
    assert f'File "{__file__}"' in text
    assert "    over.wait()\n" in text
    assert "MainThread" in text
    assert "in thread_stacks" not in text


async def test_only_threads_with_a_note_are_shown_when_asked() -> None:
    over = threading.Event()
    threads = started(2, over)
    try:
        notes = {threads[1].ident or 0: "is the one", 1: "has ended long ago"}
        text = thread_stacks(notes, only_noted=True)
    finally:
        over.set()
        for thread in threads:
            thread.join()

    assert "waiter-1" in text
    assert "waiter-0" not in text
    assert "has ended" not in text


async def inner(event: asyncio.Event) -> None:
    await event.wait()


async def outer(event: asyncio.Event) -> None:
    await inner(event)


async def numbers(event: asyncio.Event) -> AsyncIterator[int]:
    await inner(event)
    yield 1


async def consume(event: asyncio.Event) -> None:
    async for _ in numbers(event):
        pass


async def test_tasks_are_shown_down_to_what_they_wait_for() -> None:
    event = asyncio.Event()
    tasks = [asyncio.create_task(outer(event), name=f"same-{index}") for index in range(20)]
    await asyncio.sleep(0)

    text = task_stacks(asyncio.get_running_loop())

    event.set()
    await asyncio.gather(*tasks)
    assert text.startswith("20 tasks: same-")
    assert ", …\n" in text.splitlines(keepends=True)[0]
    assert "in outer\n    await inner(event)\n" in text
    assert "in inner\n    await event.wait()\n" in text
    assert text.count("in outer") == 1


async def test_tasks_that_iterate_are_shown_into_the_generator() -> None:
    event = asyncio.Event()
    task = asyncio.create_task(consume(event))
    await asyncio.sleep(0)

    text = task_stacks(asyncio.get_running_loop())

    event.set()
    await task
    shown = [text.index(f" in {each}\n") for each in ("consume", "numbers", "inner", "Event.wait")]
    assert shown == sorted(shown)


async def test_tasks_of_a_loop_can_be_seen_from_another_thread() -> None:
    event = asyncio.Event()
    task = asyncio.create_task(outer(event))
    await asyncio.sleep(0)

    text = await asyncio.to_thread(task_stacks, asyncio.get_running_loop())

    event.set()
    await task
    assert "in outer" in text


async def test_many_different_stacks_are_cut() -> None:
    event = asyncio.Event()
    space: dict[str, object] = {}
    source = "\n".join(f"async def f{n}(event): await event.wait()" for n in range(MAX_GROUPS + 5))
    exec(source, space)  # noqa: S102 - so many functions are not written by hand
    functions = [each for name, each in space.items() if name.startswith("f")]
    tasks = [asyncio.create_task(each(event)) for each in functions]  # type: ignore[operator] # made by exec
    await asyncio.sleep(0)

    text = task_stacks(asyncio.get_running_loop())

    event.set()
    await asyncio.gather(*tasks)
    assert text.endswith("6 more stacks are not shown\n")  # those, and the test's own

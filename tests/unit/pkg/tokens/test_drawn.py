"""Ids are drawn many at a time, and each is given out once."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

from pkg.tokens.drawn import SIZE, Drawn


class Counting:
    """A source whose bytes are never the same."""

    def __init__(self) -> None:
        self.asked: list[int] = []

    def __call__(self, count: int) -> bytes:
        self.asked.append(count)
        begin = sum(self.asked) // SIZE
        return b"".join((begin + each).to_bytes(SIZE, "big") for each in range(count // SIZE))


def test_the_source_is_asked_once_for_many_ids() -> None:
    source = Counting()
    drawn = Drawn(source)

    ids = [drawn.take() for _ in range(256)]

    assert source.asked == [256 * SIZE]
    assert len(set(ids)) == 256
    assert {len(each) for each in ids} == {2 * SIZE}


def test_no_id_is_given_out_twice_whoever_takes_it() -> None:
    drawn = Drawn()
    with ThreadPoolExecutor(4) as threads:
        taken = list(threads.map(lambda _: drawn.take(), range(5000)))

    assert len(set(taken)) == 5000


def test_a_forked_process_gives_out_none_of_its_parents() -> None:
    drawn = Drawn()
    drawn.take()
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(write, drawn.take().encode())
        os._exit(0)
    os.waitpid(child, 0)

    theirs = os.read(read, 2 * SIZE).decode()

    assert theirs not in {drawn.take() for _ in range(256)}
    os.close(read)
    os.close(write)

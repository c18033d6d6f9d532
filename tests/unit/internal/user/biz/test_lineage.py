"""Things that have at most one parent."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from internal.user.biz.lineage import height, lineage, misplaced

#  1 ─ 2 ─ 3     7 ⇄ 8     9 ─ (10 is unknown)
#      └─ 4
PARENTS = {1: 0, 2: 1, 3: 2, 4: 2, 7: 8, 8: 7, 9: 10}

parents = st.dictionaries(st.integers(1, 12), st.integers(0, 14), max_size=12)


@pytest.mark.parametrize(
    ("start", "line"),
    [(1, (1,)), (3, (3, 2, 1)), (7, (7, 8)), (9, (9,)), (5, ()), (0, ())],
)
def test_a_line_goes_up_to_where_it_ends(start: int, line: tuple[int, ...]) -> None:
    assert lineage(start, PARENTS) == line


@pytest.mark.parametrize(("start", "expected"), [(1, 3), (2, 2), (3, 1), (7, 2), (9, 1)])
def test_the_height_is_that_of_the_longest_line(start: int, expected: int) -> None:
    assert height(start, PARENTS) == expected


@pytest.mark.parametrize(
    ("key", "parent", "why"),
    [
        (5, 1, ""),
        (4, 3, ""),
        (5, 6, "no such parent"),
        (1, 3, "its parent would be below itself"),
        (2, 2, "its parent would be below itself"),
        (5, 3, ""),
        (1, 9, ""),
        (2, 4, "its parent would be below itself"),
        (2, 9, ""),
        (1, 8, "it would lie too deep"),
    ],
)
def test_where_something_cannot_hang(key: int, parent: int, why: str) -> None:
    assert misplaced(key, parent, PARENTS, 4) == why


@given(parents, st.integers(0, 14))
def test_every_line_ends_and_names_nothing_twice(known: dict[int, int], start: int) -> None:
    line = lineage(start, known)

    assert len(set(line)) == len(line)
    assert set(line) <= known.keys()


@given(parents, st.integers(1, 12), st.integers(1, 12))
def test_what_is_placed_makes_no_ring_and_stays_within_the_limit(
    known: dict[int, int], key: int, parent: int
) -> None:
    if misplaced(key, parent, known, 5):
        return
    after = {**known, key: parent}

    assert key not in lineage(parent, after)
    assert all(len(lineage(other, after)) <= 5 for other in after if key in lineage(other, after))

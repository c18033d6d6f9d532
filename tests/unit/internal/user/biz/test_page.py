"""Pages of a list."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from internal.user.biz import Page
from internal.user.consts import MAX_PAGE, MAX_PAGE_SIZE, PAGE_SIZE


def test_what_is_not_said_is_the_first_page_of_usual_size() -> None:
    assert Page.of(0, 0) == Page() == Page(1, PAGE_SIZE)


@pytest.mark.parametrize(
    ("number", "size"), [(-1, 1), (MAX_PAGE + 1, 1), (1, -1), (1, MAX_PAGE_SIZE + 1)]
)
def test_a_page_out_of_bounds_is_refused(number: int, size: int) -> None:
    with pytest.raises(ValueError, match="is not in"):
        Page.of(number, size)


@given(st.lists(st.integers(), max_size=60), st.integers(1, MAX_PAGE_SIZE))
def test_pages_one_after_the_other_are_the_whole_list(items: list[int], size: int) -> None:
    read: list[int] = []
    number = 1
    while part := items[Page(number, size).offset :][:size]:
        read += part
        number += 1

    assert read == items


@given(st.integers(1, MAX_PAGE), st.integers(1, MAX_PAGE_SIZE))
def test_an_offset_is_never_negative_and_fits_any_database(number: int, size: int) -> None:
    assert 0 <= Page(number, size).offset < 2**31

"""What importing at full speed leaves behind."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING

import pytest

from pkg.loading import loading

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def collector() -> Iterator[None]:
    yield
    gc.unfreeze()
    gc.enable()


def test_what_is_loaded_is_never_looked_at_for_garbage() -> None:
    before = gc.get_freeze_count()

    with loading():
        assert not gc.isenabled()

    assert gc.isenabled()
    assert gc.get_freeze_count() > before


def test_a_collector_that_was_off_stays_off() -> None:
    gc.disable()

    with loading():
        pass

    assert not gc.isenabled()


def test_the_collector_is_back_after_an_import_that_fails() -> None:
    with pytest.raises(ImportError), loading():
        raise ImportError("no such module")

    assert gc.isenabled()

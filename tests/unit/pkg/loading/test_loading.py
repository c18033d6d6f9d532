"""What importing at full speed leaves behind."""

from __future__ import annotations

import gc
import sys
from typing import TYPE_CHECKING

import pytest
from pydantic import BaseModel

from pkg.loading import absent, built_late, loading

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


def test_what_is_absent_cannot_be_imported_until_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delitem(sys.modules, "wave", raising=False)

    with absent("wave"), pytest.raises(ModuleNotFoundError):
        import wave

    import wave

    assert wave.__name__ == "wave"


def test_what_is_loaded_already_is_not_absent() -> None:
    with absent("gc", "sys"):
        import sys as again

    assert again is sys
    assert sys.modules["gc"] is gc


def test_models_are_built_when_they_are_first_used() -> None:
    with built_late():

        class Late(BaseModel):
            size: int

    class Soon(BaseModel):
        size: int

    assert not Late.__pydantic_complete__
    assert Late.model_validate({"size": "3"}).size == 3
    assert Soon.__pydantic_complete__


def test_models_are_built_at_once_again_after_an_import_that_fails() -> None:
    with pytest.raises(ImportError), built_late():
        raise ImportError("no such module")

    class Soon(BaseModel):
        size: int

    assert Soon.__pydantic_complete__

"""Imports at full speed."""

from __future__ import annotations

import gc
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def loading() -> Iterator[None]:
    """Around the imports of a whole service: a tenth less time to start.

    Importing makes hundreds of thousands of objects that live as long as the process. Looking for
    garbage among them finds nothing, so nobody looks meanwhile, nor ever again at these.
    """
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
        gc.freeze()
    finally:
        if collecting:
            gc.enable()


@contextmanager
def absent(*modules: str) -> Iterator[None]:
    """Around imports: to them these modules are not installed, unless they are loaded already.

    For what a library imports only to find out whether it is there. Imports that other threads do
    meanwhile do not find them either.
    """
    hidden = [each for each in modules if each not in sys.modules]
    loaded: dict[str, Any] = sys.modules
    loaded.update(dict.fromkeys(hidden))  # None there is how the import system says "not installed"
    try:
        yield
    finally:
        for each in hidden:
            del loaded[each]


@contextmanager
def built_late() -> Iterator[None]:
    """Around imports: the Pydantic models that they define are built when they are first used.

    For libraries with models that most processes never use. Of our own it would save nothing, and
    would hide their mistakes until then.
    """
    from pydantic import BaseModel  # this package is imported before everything

    config = BaseModel.model_config
    BaseModel.model_config = {**config, "defer_build": True}
    try:
        yield
    finally:
        BaseModel.model_config = config

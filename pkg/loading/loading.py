"""Imports at full speed."""

from __future__ import annotations

import gc
from contextlib import contextmanager
from typing import TYPE_CHECKING

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

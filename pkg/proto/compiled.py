"""Functions written as text and compiled once: the straight-line code of codec and JSON.

Loops over descriptors cost more than the work they direct; here they run once per message class.
"""

from __future__ import annotations

import linecache
from collections.abc import Callable
from typing import Any

Function = Callable[[Any], Any]


def compile_function(source: str, name: str, names: dict[str, Any], title: str) -> Function:
    """The function `name` that `source` defines, seeing `names` as its globals.

    `title` stands for the file in tracebacks, which show the lines as if they lay on disk. The
    source must hold names and literals made with repr() alone, never text from outside.
    """
    file = f"<{title}>"
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    exec(compile(source, file, "exec"), names)  # noqa: S102 - made of descriptors, not of input
    function: Function = names[name]
    return function

"""Running this program again."""

from __future__ import annotations

import sys


def this_program(*more: str) -> list[str]:
    """The command line of this process, with more arguments at its end.

    It is what the interpreter was really given, so it holds for a package that unpacks itself and
    then replaces its process, for `-m` and for a file alike.
    """
    return [sys.executable, *sys.orig_argv[1:], *more]

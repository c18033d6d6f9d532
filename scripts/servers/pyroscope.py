"""In Pyroscope's place: what its agents push is checked and told; see `recorder`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import ClassVar

from scripts.servers import recorder
from scripts.servers.server import Server, answers


class Pyroscope(Server):
    """A recorder of profiles, which forgets them at its end."""

    name: ClassVar[str] = "pyroscope"

    def command(self) -> list[str]:
        return [sys.executable, "-m", recorder.__name__, str(self.port)]

    def working_directory(self) -> Path:
        return Path(recorder.__file__).parents[2]

    def healthy(self) -> bool:
        return answers(self.port, "/ready")

    def environment(self) -> dict[str, str]:
        return {"TEST_PYROSCOPE_URL": f"http://127.0.0.1:{self.port}"}

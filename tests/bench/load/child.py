"""The load's process: a wish in JSON on each line in, what it came to on each line out."""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import uvloop

from tests.bench import cores
from tests.bench.load import call, grpc, http
from tests.bench.load.round import Round

if TYPE_CHECKING:
    from tests.bench.load.call import Sent


def main() -> int:
    """Serve until the input ends."""
    cores.pin(cores.LOAD)
    known: dict[str, list[Sent]] = {}
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        for line in sys.stdin:
            wanted = Round(**json.loads(line))
            if wanted.calls not in known:
                known[wanted.calls] = call.read(Path(wanted.calls))
            load = http.load if wanted.transport == "http" else grpc.load
            outcome = runner.run(load(wanted, known[wanted.calls]))
            print(json.dumps(asdict(outcome)), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())

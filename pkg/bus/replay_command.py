"""`<service> replay <topic>`: the command of a service that replays a dead-letter topic."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Final, TypeVar

from pkg.app.cli import FAILED, OK, Command
from pkg.bus.errors import BusError
from pkg.bus.ports import Producer
from pkg.bus.replay import GROUP, replay
from pkg.bus.subscriptions import Bus
from pkg.config import Loaded, Settings

if TYPE_CHECKING:
    import argparse

T = TypeVar("T", bound=Settings)

Connect = Callable[[Loaded[T]], AbstractAsyncContextManager[tuple[Bus, Producer]]]
"""Opens the bus of a service, for as long as the block is in."""

_HELP: Final = "send the messages of a dead-letter topic to where they came from"


def replay_command(connect: Connect[T]) -> Command[T]:
    """The command. Prints a line for each message and one with the counts; a failure exits with 1.

    Args:
        connect: called with the service's settings.
    """

    def handle(args: argparse.Namespace, loaded: Loaded[T]) -> int:
        return asyncio.run(_run(args, loaded))

    async def _run(args: argparse.Namespace, loaded: Loaded[T]) -> int:
        try:
            async with connect(loaded) as (bus, producer):
                done = await replay(
                    bus.source(args.topic, GROUP),
                    producer,
                    limit=args.limit,
                    dry_run=args.dry_run,
                    show=_write,
                )
        except BusError as error:
            sys.stderr.write(f"replay: {error}\n")
            return FAILED
        _write(str(done))
        return OK

    return Command(name="replay", help=_HELP, handler=handle, arguments=_arguments)


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("topic", help="the dead-letter topic, such as orders.dead")
    parser.add_argument(
        "--limit", type=_positive, default=1000, metavar="N", help="at most so many (default 1000)"
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="show what would be sent, and send nothing"
    )


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError(text)
    return number


def _write(line: str) -> None:
    sys.stdout.write(f"{line}\n")

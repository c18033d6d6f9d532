"""Several servers at once: installed, started side by side, ended together."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import TYPE_CHECKING

from scripts.servers import install
from scripts.servers.catalog import SERVERS
from scripts.servers.server import ServerError, search_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from scripts.servers.server import Server

Say = Callable[[str], None]


def say(line: str) -> None:
    """Progress, beside what the command prints."""
    print(line, file=sys.stderr, flush=True)


def missing_packages(names: Iterable[str]) -> list[str]:
    """Debian's packages for the programs that these servers need and the PATH has not."""
    programs = {
        program: package
        for name in names
        for program, package in SERVERS[name].programs.items()
        if shutil.which(program, path=search_path()) is None
    }
    return sorted(set(programs.values()))


def install_all(names: Sequence[str], say: Say = say) -> None:
    """Install what these servers need; quick when that has been done.

    Raises:
        InstallError: Something cannot be had. The others are installed all the same.
    """
    packages = missing_packages(names)
    if packages:
        say(f"Debian: {' '.join(packages)}")
        install.debian(packages)

    jobs = {name: _timed(SERVERS[name].install) for name in names}
    _side_by_side(jobs, "installed", 1, say, stop=install.abort)


def ports(servers: Iterable[Server]) -> set[int]:
    """All that they listen on, or will."""
    return {port for server in servers for port in server.ports.values()}


def start_all(servers: Mapping[str, Server], say: Say = say) -> dict[str, float]:
    """Start them and tell each of the others; gives the seconds that each took.

    Raises:
        ServerError: One did not start; it is the only one that does not run.
        BaseException: What interrupted us, such as KeyboardInterrupt; then none runs.
    """

    jobs = {name: _timed(server.start) for name, server in servers.items()}
    try:
        seconds = _side_by_side(jobs, "answers", 0, say, stop=lambda: _kill(servers.values()))
    finally:
        introduce(servers.values())
    return seconds


def introduce(servers: Iterable[Server]) -> None:
    """Tell each that runs of all that do."""
    running = [server for server in servers if server.pid]
    addresses = environment(running)
    for server in running:
        server.meet(addresses)


def _timed(do: Callable[[], object]) -> Callable[[], float]:
    """The same, giving the seconds that it took."""

    def timed() -> float:
        began = time.monotonic()
        do()
        return time.monotonic() - began

    return timed


def _kill(servers: Iterable[Server]) -> None:
    for server in servers:
        server.kill()


def _side_by_side(
    jobs: Mapping[str, Callable[[], float]],
    done: str,
    least: float,
    say: Say,
    stop: Callable[[], None] = lambda: None,
) -> dict[str, float]:
    """Run the jobs, each in a thread of its own; say which is done, if it took `least` seconds.

    When we are interrupted, `stop` is called until each has ended.
    """
    seconds: dict[str, float] = {}
    failures: list[Exception] = []
    with ThreadPoolExecutor(max(1, len(jobs))) as threads:
        names: dict[Future[float], str] = {threads.submit(job): name for name, job in jobs.items()}
        left = set(names)
        try:
            while left:
                ended, left = wait(left, timeout=15, return_when=FIRST_COMPLETED)
                for future in ended:
                    try:
                        seconds[names[future]] = future.result()
                    except ServerError as error:
                        failures.append(error)
                        say(f"{names[future]}: failed")
                        continue
                    if seconds[names[future]] >= least:
                        say(f"{names[future]}: {done} after {seconds[names[future]]:.1f} s")
                if left and not ended:
                    say(f"waiting for {', '.join(sorted(names[future] for future in left))}")
        except BaseException:
            while left:
                stop()
                _, left = wait(left, timeout=0.2)
            stop()
            raise
    if failures:
        raise type(failures[0])("\n\n".join(str(failure) for failure in failures))
    return seconds


def stop_all(servers: Iterable[Server]) -> None:
    """End them, side by side."""
    running = list(servers)
    with ThreadPoolExecutor(max(1, len(running))) as threads:
        for future in [threads.submit(server.stop) for server in running]:
            future.result()


def environment(servers: Iterable[Server]) -> dict[str, str]:
    """The variables of all that run."""
    return {
        variable: value
        for server in servers
        if server.pid
        for variable, value in server.environment().items()
    }

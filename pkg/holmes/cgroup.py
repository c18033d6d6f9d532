"""What the process may use: the limits of its control group, version 1 and 2.

A limit may be set at the group of the process or at any group above it; the tightest counts. Files
are read each time, because limits can be changed while the process runs.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_UNLIMITED: Final = 1 << 60
"""Version 1 writes a number near 2^63 for no limit."""


@dataclass(frozen=True, slots=True)
class CgroupLimits:
    """Where the limits are written; found once, read often."""

    cpu: Sequence[Path]
    """The group of the process and those above it, in the hierarchy that has the CPU limit."""
    memory: Sequence[Path]

    @classmethod
    def find(cls, root: Path = Path("/")) -> CgroupLimits:
        """Look where this process's groups are; without control groups there are no limits."""
        mounts = list(_mounts(root))
        groups = dict(_groups(root))
        return cls(*(_directories(mounts, groups, each) for each in ("cpu", "memory")))

    def cores(self) -> float | None:
        """How many cores' time may be used; None without a limit."""
        return min(filter(None, map(_cores, self.cpu)), default=None)

    def cpu_use(self) -> tuple[float, float] | None:
        """The cores of the tightest limit, and the seconds that all under it have used.

        None without a limit, or where nobody says what was used.
        """
        limited = [(cores, group) for group in self.cpu if (cores := _cores(group))]
        if not limited:
            return None
        cores, group = min(limited, key=lambda each: each[0])
        used = _used(group)
        return None if used is None else (cores, used)

    def memory_bytes(self) -> int | None:
        """How much memory may be used; None without a limit."""
        return min(filter(None, map(_memory, self.memory)), default=None)


@dataclass(frozen=True, slots=True)
class _Mount:
    group: str
    """The group that is seen at the mount point: the root, or the container's own."""
    point: Path
    controllers: frozenset[str]
    """Empty for version 2, which has all of them."""


def _mounts(root: Path) -> Iterator[_Mount]:
    for line in _read(root / "proc/self/mountinfo").splitlines():
        before, _, after = line.partition(" - ")
        fields, kind = before.split(), after.split()
        if len(fields) >= 5 and kind and kind[0] in ("cgroup", "cgroup2"):
            controllers = kind[-1].split(",") if kind[0] == "cgroup" else ()
            yield _Mount(fields[3], root / fields[4].lstrip("/"), frozenset(controllers))


def _groups(root: Path) -> Iterator[tuple[str, str]]:
    """The path of the process's group by controller; that of version 2 under the empty name."""
    for line in _read(root / "proc/self/cgroup").splitlines():
        _, _, rest = line.partition(":")
        controllers, _, group = rest.partition(":")
        for controller in controllers.split(","):
            yield controller, group


def _directories(
    mounts: Sequence[_Mount], groups: dict[str, str], controller: str
) -> Sequence[Path]:
    """From the group of the process up to the mount point; version 1 first, where it is used."""
    version = controller if controller in groups else ""
    for mount in mounts:
        if version not in (mount.controllers or {""}):
            continue
        group = groups.get(version, "/")
        inner = group.removeprefix(mount.group.rstrip("/")).strip("/")
        directory = mount.point / inner
        if not directory.is_dir():  # the path is that of the host, and not seen from in here
            directory = mount.point
        above = [each for each in directory.parents if each.is_relative_to(mount.point)]
        return (directory, *above)
    return ()


def _cores(group: Path) -> float | None:
    quota, _, period = _read(group / "cpu.max").strip().partition(" ")
    if not period:
        quota = _read(group / "cpu.cfs_quota_us").strip()
        period = _read(group / "cpu.cfs_period_us").strip()
    wanted, per = _number(quota), _number(period)
    return wanted / per if wanted and per else None


def _used(group: Path) -> float | None:
    """Seconds of CPU time."""
    for line in _read(group / "cpu.stat").splitlines():
        name, _, value = line.partition(" ")
        if name == "usage_usec" and (microseconds := _number(value)) is not None:
            return microseconds / 1e6
    nanoseconds = _number(_read(group / "cpuacct.usage").strip())
    return None if nanoseconds is None else nanoseconds / 1e9


def _memory(group: Path) -> int | None:
    text = _read(group / "memory.max") or _read(group / "memory.limit_in_bytes")
    limit = _number(text.strip())
    return limit if limit is not None and limit < _UNLIMITED else None


def _number(text: str) -> int | None:
    """A count; None for `max`, `-1` and what is not there."""
    return int(text) if text.isascii() and text.isdigit() else None


def _read(file: Path) -> str:
    try:
        return file.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        return ""

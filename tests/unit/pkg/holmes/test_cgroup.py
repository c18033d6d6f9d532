"""Limits of control groups, from files as kernels and container runtimes write them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pkg.holmes.cgroup import CgroupLimits

if TYPE_CHECKING:
    from pathlib import Path

V1_CPU = "34 30 0:31 {group} /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n"
V1_MEMORY = "35 30 0:32 {group} /sys/fs/cgroup/memory rw,nosuid - cgroup cgroup rw,memory\n"
V2 = "30 23 0:26 {group} /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw\n"


class Host:
    """A root directory."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def write(self, file: str, content: str) -> None:
        path = self.root / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)

    def limits(self) -> tuple[float | None, int | None]:
        found = CgroupLimits.find(self.root)
        return found.cores(), found.memory_bytes()


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(tmp_path)


def test_version_2_in_a_container_of_its_own(host: Host) -> None:
    host.write("proc/self/mountinfo", V2.format(group="/"))
    host.write("proc/self/cgroup", "0::/\n")
    host.write("sys/fs/cgroup/cpu.max", "150000 100000\n")
    host.write("sys/fs/cgroup/memory.max", "536870912\n")

    assert host.limits() == (1.5, 512 * 2**20)


def test_version_2_without_limits(host: Host) -> None:
    host.write("proc/self/mountinfo", V2.format(group="/"))
    host.write("proc/self/cgroup", "0::/\n")
    host.write("sys/fs/cgroup/cpu.max", "max 100000\n")
    host.write("sys/fs/cgroup/memory.max", "max\n")

    assert host.limits() == (None, None)


def test_the_tightest_limit_of_the_groups_above_counts(host: Host) -> None:
    host.write("proc/self/mountinfo", V2.format(group="/"))
    host.write("proc/self/cgroup", "0::/pod/app\n")
    host.write("sys/fs/cgroup/pod/cpu.max", "100000 100000\n")
    host.write("sys/fs/cgroup/pod/memory.max", "max\n")
    host.write("sys/fs/cgroup/pod/app/cpu.max", "200000 100000\n")
    host.write("sys/fs/cgroup/pod/app/memory.max", "1073741824\n")

    assert host.limits() == (1.0, 2**30)


def test_version_1_with_the_path_of_the_host_and_the_mount_of_the_container(host: Host) -> None:
    host.write(
        "proc/self/mountinfo",
        V1_CPU.format(group="/docker/abc") + V1_MEMORY.format(group="/docker/abc"),
    )
    host.write("proc/self/cgroup", "4:memory:/docker/abc\n3:cpu,cpuacct:/docker/abc\n0::/\n")
    host.write("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "50000\n")
    host.write("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000\n")
    host.write("sys/fs/cgroup/memory/memory.limit_in_bytes", "268435456\n")

    assert host.limits() == (0.5, 256 * 2**20)


def test_version_1_with_a_group_that_is_not_seen_from_inside(host: Host) -> None:
    host.write("proc/self/mountinfo", V1_MEMORY.format(group="/"))
    host.write("proc/self/cgroup", "4:memory:/kubepods/pod1/abc\n")
    host.write("sys/fs/cgroup/memory/memory.limit_in_bytes", "268435456\n")

    assert host.limits() == (None, 256 * 2**20)


def test_version_1_writes_a_very_large_number_for_no_limit(host: Host) -> None:
    host.write("proc/self/mountinfo", V1_CPU.format(group="/") + V1_MEMORY.format(group="/"))
    host.write("proc/self/cgroup", "4:memory:/\n3:cpu,cpuacct:/\n")
    host.write("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "-1\n")
    host.write("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000\n")
    host.write("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n")

    assert host.limits() == (None, None)


def test_a_limit_that_is_changed_is_seen(host: Host) -> None:
    host.write("proc/self/mountinfo", V2.format(group="/"))
    host.write("proc/self/cgroup", "0::/\n")
    host.write("sys/fs/cgroup/cpu.max", "100000 100000\n")
    found = CgroupLimits.find(host.root)
    host.write("sys/fs/cgroup/cpu.max", "300000 100000\n")

    assert found.cores() == 3.0


@pytest.mark.parametrize("garbage", ["", "nonsense", "1 2 3", "0:", "4:memory"])
def test_without_control_groups_there_are_no_limits(host: Host, garbage: str) -> None:
    assert host.limits() == (None, None)
    host.write("proc/self/mountinfo", garbage)
    host.write("proc/self/cgroup", garbage)

    assert host.limits() == (None, None)


def test_what_was_used_under_the_tightest_limit_version_2(host: Host) -> None:
    host.write("proc/self/mountinfo", V2.format(group="/"))
    host.write("proc/self/cgroup", "0::/pod/app\n")
    host.write("sys/fs/cgroup/pod/cpu.max", "100000 100000\n")
    host.write("sys/fs/cgroup/pod/cpu.stat", "usage_usec 2500000\nuser_usec 1\n")
    host.write("sys/fs/cgroup/pod/app/cpu.max", "200000 100000\n")
    host.write("sys/fs/cgroup/pod/app/cpu.stat", "usage_usec 1\n")

    assert CgroupLimits.find(host.root).cpu_use() == (1.0, 2.5)


def test_what_was_used_under_the_tightest_limit_version_1(host: Host) -> None:
    host.write("proc/self/mountinfo", V1_CPU.format(group="/"))
    host.write("proc/self/cgroup", "4:cpu,cpuacct:/\n")
    host.write("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "50000\n")
    host.write("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000\n")
    host.write("sys/fs/cgroup/cpu,cpuacct/cpuacct.usage", "1500000000\n")

    assert CgroupLimits.find(host.root).cpu_use() == (0.5, 1.5)


@pytest.mark.parametrize("limit", ["max 100000\n", "100000 100000\n"])
def test_without_a_limit_or_an_account_nothing_is_told_of_use(host: Host, limit: str) -> None:
    host.write("proc/self/mountinfo", V2.format(group="/"))
    host.write("proc/self/cgroup", "0::/\n")
    host.write("sys/fs/cgroup/cpu.max", limit)

    assert CgroupLimits.find(host.root).cpu_use() is None

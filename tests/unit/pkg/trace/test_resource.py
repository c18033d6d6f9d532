"""What is said of the process beside its spans."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING

import pytest

from pkg.trace.resource import resource_attributes
from tests.unit.pkg.trace.recorder import IDENTITY

if TYPE_CHECKING:
    from pathlib import Path

CONTAINER = "3f1c0e5b6a7d8c9e" * 4
POD = "0f6d8a1c-2b3e-4f5a-8b7c-9d0e1f2a3b4c"


def test_outside_of_a_container_nothing_is_said_of_one(tmp_path: Path) -> None:
    host, pid = socket.gethostname(), os.getpid()

    assert resource_attributes(IDENTITY, {}, tmp_path / "no such folder") == {
        "service.name": "lab",
        "service.version": "1.2.3",
        "deployment.environment.name": "test",
        "service.instance.id": f"{host}:{pid}",
        "host.name": host,
        "process.pid": pid,
    }


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("cgroup", f"12:cpu:/docker/{CONTAINER}\n"),
        ("cgroup", f"1:name=systemd:/kubepods/besteffort/pod{POD}/{CONTAINER}\n"),
        (
            "cgroup",
            "0::/kubepods.slice/kubepods-besteffort.slice/"
            f"kubepods-besteffort-pod{POD.replace('-', '_')}.slice/"
            f"cri-containerd-{CONTAINER}.scope\n",
        ),
        (
            "mountinfo",
            f"1 0 8:1 /var/lib/docker/containers/{CONTAINER}/hostname /etc/hostname rw\n",
        ),
        (
            "mountinfo",
            f"1 0 8:1 /var/lib/kubelet/pods/{POD}/etc-hosts /etc/hosts rw\n"
            f"2 0 8:1 /var/lib/containerd/io.containerd.grpc.v1.cri/sandboxes/{CONTAINER}/hostname"
            " /etc/hostname rw\n",
        ),
    ],
)
def test_the_container_is_found_however_its_runtime_says_it(
    tmp_path: Path, file: str, text: str
) -> None:
    (tmp_path / file).write_text(text)

    known = resource_attributes(IDENTITY, {}, tmp_path)

    assert known["container.id"] == CONTAINER
    assert known.get("k8s.pod.uid") in ((POD,) if "pod" in text else (None,))


def test_what_looks_like_an_id_elsewhere_is_none(tmp_path: Path) -> None:
    (tmp_path / "mountinfo").write_text(f"1 0 8:1 /data/{CONTAINER} /data rw\n")
    (tmp_path / "cgroup").write_text("0::/user.slice/session-1.scope\n")

    assert "container.id" not in resource_attributes(IDENTITY, {}, tmp_path)


def test_the_downward_api_names_the_pod(tmp_path: Path) -> None:
    environ = {"POD_NAME": "user-1", "POD_NAMESPACE": "shop", "POD_UID": POD, "NODE_NAME": ""}

    known = resource_attributes(IDENTITY, environ, tmp_path)

    assert known["k8s.pod.name"] == "user-1"
    assert known["k8s.namespace.name"] == "shop"
    assert known["k8s.pod.uid"] == POD
    assert "k8s.node.name" not in known

"""What is said of the process beside each of its spans: which service, which copy of it, where.

    service.name, service.version, deployment.environment.name     as handed in
    service.instance.id                                             `host:pid`
    host.name, process.pid
    container.id                                                    out of /proc/self
    k8s.pod.uid, k8s.pod.name, k8s.namespace.name, k8s.node.name    POD_UID, POD_NAME,
        POD_NAMESPACE, NODE_NAME in the environment, which the downward API fills; the uid is also
        found in /proc/self

What is not known is not said.
"""

from __future__ import annotations

import os
import re
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pkg.log import Identity

PROC: Final = Path("/proc/self")

_VARIABLES: Final = {
    "k8s.pod.uid": "POD_UID",
    "k8s.pod.name": "POD_NAME",
    "k8s.namespace.name": "POD_NAMESPACE",
    "k8s.node.name": "NODE_NAME",
}
_CONTAINER: Final = re.compile(
    r"(?:/|[-:.])(?:docker|containers?|cri-containerd|crio|libpod|kubepods|sandboxes)"
    r"[^\s]*?([0-9a-f]{64})(?![0-9a-f])"
)
_POD: Final = re.compile(r"(?:/pods/|[-/]pod)([0-9a-f]{8}(?:[-_][0-9a-f]{4}){3}[-_][0-9a-f]{12})")
_MOST: Final = 1 << 20
"""Bytes of a file below /proc that are read."""


def resource_attributes(
    identity: Identity, environ: Mapping[str, str], proc: Path = PROC
) -> dict[str, str | int]:
    """All that is known of the process. `proc`: what is its own folder in /proc."""
    host, pid = socket.gethostname(), os.getpid()
    known: dict[str, str | int] = {
        "service.name": identity.service,
        "service.version": identity.version,
        "service.instance.id": f"{host}:{pid}",
        "deployment.environment.name": identity.env,
        "host.name": host,
        "process.pid": pid,
    }
    # cgroup says it under version 1; under version 2 what is mounted into a container does.
    places = _text(proc / "cgroup") + _text(proc / "mountinfo")
    if container := _CONTAINER.search(places):
        known["container.id"] = container[1]
    if pod := _POD.search(places):
        known["k8s.pod.uid"] = pod[1].replace("_", "-")
    known.update({name: environ[key] for name, key in _VARIABLES.items() if environ.get(key)})
    return known


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(_MOST).decode("utf-8", "replace")
    except OSError:  # no such system; then nothing is known
        return ""

"""Every server that there is, in the order in which tables show them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scripts.servers.consul import Consul
from scripts.servers.elastic import Elasticsearch
from scripts.servers.jaeger import Jaeger
from scripts.servers.kafka import Kafka
from scripts.servers.mailbox import Mailbox
from scripts.servers.mariadb import MariaDB
from scripts.servers.postgres import Postgres
from scripts.servers.prometheus import Alertmanager, NodeExporter, Prometheus
from scripts.servers.pyroscope import Pyroscope
from scripts.servers.redis import Redis

if TYPE_CHECKING:
    from collections.abc import Iterable

    from scripts.servers.server import Server

_ALL: tuple[type[Server], ...] = (
    Redis, MariaDB, Postgres, Kafka, Elasticsearch, Consul, Mailbox,
    Jaeger, Prometheus, Alertmanager, NodeExporter, Pyroscope,
)  # fmt: skip

SERVERS = {server.name: server for server in _ALL}

GROUPS = {
    "sql": ("mysql", "postgres"),
    "data": ("redis", "mysql", "postgres", "kafka", "es"),
    "watch": ("jaeger", "prometheus", "alertmanager", "node-exporter", "pyroscope"),
}


def chosen(names: Iterable[str]) -> list[str]:
    """The servers that these names of servers and groups mean, each once; all of them for none.

    Raises:
        ValueError: There is no such name.
    """
    wanted: set[str] = set()
    for name in names:
        if name not in SERVERS and name not in GROUPS:
            known = ", ".join([*SERVERS, *GROUPS])
            raise ValueError(f"no server or group {name!r}; there are {known}")
        wanted.update(GROUPS.get(name, (name,)))
    return [name for name in SERVERS if name in wanted or not wanted]

"""Consul, built through the Go module proxy: one server that is its own leader."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from scripts.servers import install
from scripts.servers.server import Server, get
from scripts.servers.versions import CONSUL

if TYPE_CHECKING:
    from pathlib import Path


class Consul(Server):
    """A Consul that keeps its keys in its folder, and answers once it can take writes."""

    name: ClassVar[str] = "consul"
    roles: ClassVar[tuple[str, ...]] = ("http", "server", "serf")

    @classmethod
    def install(cls) -> Path:
        return install.go("consul", "github.com/hashicorp/consul", CONSUL)

    def prepare(self) -> None:
        self.data.mkdir()
        (self.directory / "consul.json").write_text(
            '{"disable_update_check": true, "performance": {"raft_multiplier": 1}}'
        )

    def command(self) -> list[str]:
        return [
            str(self.install() / "consul"), "agent", "-server", "-bootstrap-expect=1", "-ui",
            f"-data-dir={self.data}", f"-config-file={self.directory / 'consul.json'}",
            "-node=layout", "-bind=127.0.0.1", "-client=127.0.0.1",
            f"-http-port={self.ports['http']}", f"-server-port={self.ports['server']}",
            f"-serf-lan-port={self.ports['serf']}",
            "-serf-wan-port=-1", "-dns-port=-1", "-grpc-port=-1",
        ]  # fmt: skip

    def healthy(self) -> bool:
        """Whether there is a leader, and the node is known; without either a write is refused."""
        leader = get(self.port, "/v1/status/leader")
        return b":" in leader and b"layout" in get(self.port, "/v1/catalog/nodes")

    def environment(self) -> dict[str, str]:
        return {"TEST_CONSUL_URL": f"http://127.0.0.1:{self.port}"}

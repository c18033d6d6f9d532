"""Apache Kafka, of Maven Central: one node that is broker and controller, without ZooKeeper."""

from __future__ import annotations

import socket
import struct
from typing import TYPE_CHECKING, ClassVar

from scripts.servers import install
from scripts.servers.java import java
from scripts.servers.server import Server
from scripts.servers.versions import KAFKA, LOG4J

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://127.0.0.1:{broker},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{broker}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs={data}
auto.create.topics.enable=false
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
"""

LOG4J_YAML = """\
Configuration:
  Appenders:
    Console:
      name: console
      PatternLayout:
        pattern: "%d %p %m (%c)%n"
  Loggers:
    Root:
      level: INFO
      AppenderRef:
        ref: console
"""


class Kafka(Server):
    """A Kafka whose topics have one replica; none is created by being written to."""

    name: ClassVar[str] = "kafka"
    roles: ClassVar[tuple[str, ...]] = ("broker", "controller")
    start_seconds: ClassVar[float] = 120
    programs: ClassVar[Mapping[str, str]] = {"java": "default-jre-headless", "mvn": "maven"}

    @classmethod
    def install(cls) -> Path:
        return install.maven(
            f"kafka-{KAFKA}",
            [
                f"org.apache.kafka:kafka_2.13:{KAFKA}",
                f"org.apache.logging.log4j:log4j-1.2-api:{LOG4J}",
                f"org.apache.logging.log4j:log4j-core:{LOG4J}",
                f"org.apache.logging.log4j:log4j-slf4j-impl:{LOG4J}",
            ],
        )

    def prepare(self) -> None:
        self._configure()
        properties = str(self.directory / "server.properties")
        identity = self.run_once([*self._java(), "kafka.tools.StorageTool", "random-uuid"])
        self.run_once(
            [
                *self._java(), "kafka.tools.StorageTool", "format",
                "-t", identity.split()[-1], "-c", properties,
            ]
        )  # fmt: skip

    def command(self) -> list[str]:
        self._configure()
        return [*self._java(), "kafka.Kafka", str(self.directory / "server.properties")]

    def healthy(self) -> bool:
        """Whether it is a broker of its own cluster: it answers earlier, but with an error."""
        # Metadata, version 1, of no topic: key, version, correlation, client, an empty list.
        request = struct.pack(">hhihi", 3, 1, 7, -1, 0)
        with socket.create_connection(("127.0.0.1", self.port), timeout=2) as connection:
            connection.sendall(struct.pack(">i", len(request)) + request)
            answer = connection.recv(4096)
        return len(answer) >= 12 and struct.unpack(">ii", answer[4:12]) == (7, 1)

    def environment(self) -> dict[str, str]:
        return {"TEST_KAFKA_URL": f"kafka://127.0.0.1:{self.port}"}

    def _configure(self) -> None:
        (self.directory / "server.properties").write_text(
            PROPERTIES.format(data=self.data, **self.ports)
        )
        (self.directory / "log4j2.yaml").write_text(LOG4J_YAML)

    def _java(self) -> list[str]:
        return [
            java(), "-Xms128m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
            f"-Dlog4j2.configurationFile={self.directory / 'log4j2.yaml'}",
            "-cp", f"{self.install()}/*",
        ]  # fmt: skip

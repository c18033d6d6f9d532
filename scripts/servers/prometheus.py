"""Prometheus, Alertmanager and the node exporter, of Debian's packages."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, ClassVar

from scripts.servers.server import Server, answers

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

PROMETHEUS = """\
global:
  scrape_interval: 2s
  evaluation_interval: 2s
rule_files:
  - {directory}/rules/*.yml
alerting:
  alertmanagers:
    - file_sd_configs:
        - files: [{directory}/alertmanagers/*.json]
          refresh_interval: 1s
scrape_configs:
  - job_name: prometheus
    static_configs:
      - targets: ["127.0.0.1:{port}"]
  - job_name: services
    file_sd_configs:
      - files: [{directory}/targets/*.json]
        refresh_interval: 1s
"""

ALERTMANAGER = """\
route:
  receiver: nobody
  group_wait: 1s
receivers:
  - name: nobody
"""


class Prometheus(Server):
    """A Prometheus that scrapes every 2 s what the files in its folder `targets` name.

    TEST_PROMETHEUS_DIRECTORY is the folder that holds `targets/*.json` (as of file_sd) and
    `rules/*.yml`; rules are read again on a POST of /-/reload.
    """

    name: ClassVar[str] = "prometheus"
    programs: ClassVar[Mapping[str, str]] = {"prometheus": "prometheus"}

    def prepare(self) -> None:
        self.data.mkdir()

    def command(self) -> list[str]:
        for folder in ("targets", "rules", "alertmanagers"):
            (self.directory / folder).mkdir(exist_ok=True)
        configuration = self.directory / "prometheus.yml"
        configuration.write_text(PROMETHEUS.format(directory=self.directory, port=self.port))
        return [
            "prometheus", f"--config.file={configuration}", f"--storage.tsdb.path={self.data}",
            f"--web.listen-address=127.0.0.1:{self.port}", "--web.enable-lifecycle",
            "--web.enable-admin-api", "--enable-feature=exemplar-storage",
        ]  # fmt: skip

    def healthy(self) -> bool:
        return answers(self.port, "/-/ready")

    def meet(self, addresses: Mapping[str, str]) -> None:
        self._name("targets/node.json", addresses.get("TEST_NODE_EXPORTER_URL"))
        self._name("alertmanagers/stack.json", addresses.get("TEST_ALERTMANAGER_URL"))

    def environment(self) -> dict[str, str]:
        return {
            "TEST_PROMETHEUS_URL": f"http://127.0.0.1:{self.port}",
            "TEST_PROMETHEUS_DIRECTORY": str(self.directory),
        }

    def _name(self, file: str, url: str | None) -> None:
        """Write the one target of a file, whole: Prometheus reads it when it likes."""
        path: Path = self.directory / file
        targets = [{"targets": [url.partition("//")[2]]}] if url else []
        new = path.with_suffix(".new")
        new.write_text(json.dumps(targets))
        new.replace(path)


class Alertmanager(Server):
    """An Alertmanager that tells nobody; what it holds is read from its API."""

    name: ClassVar[str] = "alertmanager"
    programs: ClassVar[Mapping[str, str]] = {"prometheus-alertmanager": "prometheus-alertmanager"}

    def prepare(self) -> None:
        self.data.mkdir()

    def command(self) -> list[str]:
        configuration = self.directory / "alertmanager.yml"
        configuration.write_text(ALERTMANAGER)
        return [
            "prometheus-alertmanager", f"--config.file={configuration}",
            f"--storage.path={self.data}", f"--web.listen-address=127.0.0.1:{self.port}",
            "--cluster.listen-address=",
        ]  # fmt: skip

    def healthy(self) -> bool:
        return answers(self.port, "/-/ready")

    def environment(self) -> dict[str, str]:
        return {"TEST_ALERTMANAGER_URL": f"http://127.0.0.1:{self.port}"}


class NodeExporter(Server):
    """The measurements of this machine."""

    name: ClassVar[str] = "node-exporter"
    programs: ClassVar[Mapping[str, str]] = {"prometheus-node-exporter": "prometheus-node-exporter"}

    def command(self) -> list[str]:
        return ["prometheus-node-exporter", f"--web.listen-address=127.0.0.1:{self.port}"]

    def healthy(self) -> bool:
        return answers(self.port, "/metrics")

    def environment(self) -> dict[str, str]:
        return {"TEST_NODE_EXPORTER_URL": f"http://127.0.0.1:{self.port}"}

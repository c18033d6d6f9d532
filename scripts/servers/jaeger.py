"""Jaeger, built through the Go module proxy: takes OpenTelemetry's spans and answers queries."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from scripts.servers import install
from scripts.servers.server import Server, answers
from scripts.servers.versions import JAEGER

if TYPE_CHECKING:
    from pathlib import Path

CONFIGURATION = """\
service:
  extensions: [jaeger_storage, jaeger_query]
  pipelines:
    traces:
      receivers: [otlp]
      processors: [batch]
      exporters: [jaeger_storage_exporter]
  telemetry:
    metrics:
      level: none
extensions:
  jaeger_query:
    storage:
      traces: memory
    http:
      endpoint: 127.0.0.1:{query}
    grpc:
      endpoint: 127.0.0.1:{query_grpc}
  jaeger_storage:
    backends:
      memory:
        memory:
          max_traces: 10000
receivers:
  otlp:
    protocols:
      grpc:
        endpoint: 127.0.0.1:{otlp_grpc}
      http:
        endpoint: 127.0.0.1:{otlp_http}
processors:
  batch:
    timeout: 100ms
exporters:
  jaeger_storage_exporter:
    trace_storage: memory
"""


class Jaeger(Server):
    """A Jaeger that keeps the last 10 000 traces in memory, and forgets them at its end."""

    name: ClassVar[str] = "jaeger"
    roles: ClassVar[tuple[str, ...]] = ("query", "query_grpc", "otlp_grpc", "otlp_http")

    @classmethod
    def install(cls) -> Path:
        return install.go("jaeger", "github.com/jaegertracing/jaeger", JAEGER, "cmd/jaeger")

    def command(self) -> list[str]:
        configuration = self.directory / "jaeger.yaml"
        configuration.write_text(CONFIGURATION.format(**self.ports))
        return [str(self.install() / "jaeger"), f"--config=file:{configuration}"]

    def healthy(self) -> bool:
        return answers(self.ports["query"], "/api/services")

    def environment(self) -> dict[str, str]:
        return {
            "TEST_JAEGER_URL": f"http://127.0.0.1:{self.ports['query']}",
            "TEST_OTLP_GRPC_URL": f"http://127.0.0.1:{self.ports['otlp_grpc']}",
            "TEST_OTLP_HTTP_URL": f"http://127.0.0.1:{self.ports['otlp_http']}",
        }

"""Elasticsearch, of Maven Central: the archive that its makers test plugins with.

It is the server without most of its modules: no analysis beyond Lucene's standard one, no scripts,
no reindexing, none of the extra field types, and no answer at `/` itself (ask /_cluster/health).
"""

from __future__ import annotations

import os
import re
import shutil
import sys
from typing import TYPE_CHECKING, ClassVar

from scripts.servers import compatible, install
from scripts.servers.java import java
from scripts.servers.server import Server, answers
from scripts.servers.versions import ELASTICSEARCH

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

ACCOUNT = "nobody"

CONFIGURATION = """\
cluster.name: layout
discovery.type: single-node
network.host: 127.0.0.1
http.port: {node}
transport.port: {transport}
path.data: {data}
path.logs: {logs}
xpack.security.enabled: false
cluster.routing.allocation.disk.threshold_enabled: false
"""


class Elasticsearch(Server):
    """One node without security, which clients of version 8 and 9 can talk to."""

    name: ClassVar[str] = "es"
    roles: ClassVar[tuple[str, ...]] = ("http", "node", "transport")
    programs: ClassVar[Mapping[str, str]] = {"java": "default-jre-headless", "mvn": "maven"}
    start_seconds: ClassVar[float] = 300

    @classmethod
    def install(cls) -> Path:
        def make(work: Path) -> None:
            install.maven_copy(
                f"org.elasticsearch.distribution.integ-test-zip:elasticsearch:{ELASTICSEARCH}:zip",
                work,
            )
            (archive,) = work.glob("*.zip")
            shutil.unpack_archive(archive, work)
            archive.unlink()
            (home,) = work.iterdir()
            for script in (home / "bin").iterdir():
                script.chmod(0o755)  # the archive module forgets it

        return install.place(f"maven/elasticsearch-{ELASTICSEARCH}", make)

    def prepare(self) -> None:
        self._configure()
        for name in ("data", "logs", "tmp"):
            (self.directory / name).mkdir(exist_ok=True)

    def command(self) -> list[str]:
        self._configure()
        home = self._home()
        # What its own script bin/elasticsearch comes to; that, in bash, would be root again.
        node = [
            java(), "-Xmx64m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
            "-Dcli.name=server", "-Dcli.script=elasticsearch", "-Dcli.libs=lib/tools/server-cli",
            f"-Des.path.home={home}", f"-Des.path.conf={self.directory / 'config'}",
            "-Des.distribution.type=zip", "-Des.java.type=JAVA_HOME",
            "-cp", f"{home}/lib/*:{home}/lib/cli-launcher/*",
            "org.elasticsearch.launcher.CliToolLauncher",
        ]  # fmt: skip
        return [
            sys.executable, compatible.__file__,
            str(self.ports["http"]), str(self.ports["node"]), *self._not_root(node),
        ]  # fmt: skip

    def _not_root(self, command: list[str]) -> list[str]:
        """The command with another effective user where we are root, which it refuses.

        The real user stays: it is whom the system asks about when Java looks whether a file may be
        read, and the files may lie in root's home.
        """
        if os.getuid() != 0:
            return command
        return [
            "setpriv", f"--euid={ACCOUNT}", "--inh-caps=+dac_override",
            "--ambient-caps=+dac_override", *command,
        ]  # fmt: skip

    def variables(self) -> dict[str, str]:
        logs = self.directory / "logs"
        return {
            **super().variables(),
            "ES_TMPDIR": str(self.directory / "tmp"),
            "ES_JAVA_OPTS": "-Xms512m -Xmx512m -XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
            f" -XX:HeapDumpPath={logs} -XX:ErrorFile={logs}/error.log",
        }

    def working_directory(self) -> Path:
        return self._home()

    def healthy(self) -> bool:
        return answers(self.ports["http"], "/_cluster/health?wait_for_status=yellow&timeout=1s")

    def environment(self) -> dict[str, str]:
        return {"TEST_ES_URL": f"http://127.0.0.1:{self.ports['http']}"}

    def _home(self) -> Path:
        return self.install() / f"elasticsearch-{ELASTICSEARCH}"

    def _configure(self) -> None:
        configuration = self.directory / "config"
        if not configuration.exists():
            shutil.copytree(self._home() / "config", configuration)
            options = configuration / "jvm.options"
            options.write_text(
                # A garbage collector for large machines, and logs of it, 64 MB each.
                re.sub(
                    r"^.*(-XX:[+]UseG1GC|-Xlog:gc).*$", "", options.read_text(), flags=re.MULTILINE
                )
            )
        (configuration / "elasticsearch.yml").write_text(
            CONFIGURATION.format(data=self.data, logs=self.directory / "logs", **self.ports)
        )

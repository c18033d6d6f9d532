"""The user service: `serve` (the default), and what else it can be told to do."""

from __future__ import annotations

import sys

from pkg.loading import loading

if __name__ == "__main__":
    with loading():
        from user.cli import CLI

    sys.exit(CLI.main())

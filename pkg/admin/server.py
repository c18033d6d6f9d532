"""The admin port as a component."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from pkg.app.asgi import UvicornServer

if TYPE_CHECKING:
    from pkg.admin.app import AdminApp
    from pkg.config.sections import AdminSettings

_GRACE: Final = timedelta(seconds=1)
"""Probes are short, and at the stop nobody needs their answer any more."""


class AdminServer(UvicornServer):
    """Serves an `AdminApp`. Put it first: it answers during the start, and until the very end."""

    def __init__(self, app: AdminApp, settings: AdminSettings) -> None:
        """Listen where the settings say."""
        super().__init__("admin", app, host=settings.host, port=settings.port, grace=_GRACE)

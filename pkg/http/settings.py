"""`server.http`: what an operator sets of the HTTP side."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from pkg.config import ByteSize, Settings
from pkg.http.app import MAX_BODY
from pkg.http.cors import CorsSettings
from pkg.http.profile import ProfileName  # noqa: TC001 - pydantic reads it


class HttpSettings(Settings):
    """Where HTTP is served and how it answers."""

    host: str = "0.0.0.0"  # noqa: S104 - a service in a container is there to be reached
    port: Annotated[int, Field(ge=0, le=65535)] = 8000
    """0 lets the system choose."""
    response_profile: ProfileName = "envelope"
    max_body: Annotated[ByteSize, Field(gt=0)] = ByteSize(MAX_BODY)
    """Limit of a request body; a hand-written route may have its own."""
    docs: bool = True
    """Whether /docs and /openapi.json are served."""
    cors: CorsSettings = CorsSettings()

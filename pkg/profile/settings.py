"""How profiles are taken."""

from __future__ import annotations

from datetime import timedelta

from pydantic import Field

from pkg.config import Duration, Secret, Settings


class ProfileSettings(Settings):
    """Profiles that are asked for at `/debug/pprof/`."""

    enabled: bool = Field(default=True, description="Whether the paths are there at all.")
    hz: int = Field(default=100, ge=1, le=250, description="Looks per second.")
    longest: Duration = Field(
        default=timedelta(minutes=1),
        gt=timedelta(),
        le=timedelta(minutes=10),
        description="A CPU profile over more time is refused.",
    )
    heap_frames: int = Field(
        default=0,
        ge=0,
        le=64,
        description="Frames that are traced of each allocation, for profiles of memory; 0: none.",
    )


class PyroscopeSettings(Settings):
    """Profiles that are sent to a Pyroscope server all the time."""

    url: str = Field(default="", description="Of the server; empty: nothing is sent.")
    app_name: str = Field(default="", description="Empty: the name of the service.")
    tags: dict[str, str] = Field(default_factory=dict, description="Of every profile.")
    sample_rate: int = Field(default=100, ge=1, le=250, description="Looks per second.")
    upload_every: Duration = Field(
        default=timedelta(seconds=10),
        ge=timedelta(seconds=1),
        description="In whole seconds; how much a profile is about.",
    )
    wall: bool = Field(
        default=False, description="Also threads that wait, so that time is wall time, not CPU."
    )
    tenant: str = Field(default="", description="X-Scope-OrgID, for a server with tenants.")
    user: str = Field(default="", description="Of basic authentication, with `auth`.")
    auth: Secret | None = Field(
        default=None, description="The password of `user`; without a user a bearer token."
    )
    stop_timeout: Duration = Field(
        default=timedelta(seconds=2),
        gt=timedelta(),
        description="For the last profile to be sent; after it, it is lost.",
    )

"""The life of a process: components, their order, health, signals and exit codes."""

from pkg.app.app import App
from pkg.app.asgi import UvicornServer
from pkg.app.banner import Banner, Credentials, render, show
from pkg.app.component import Checked, Component, Remarked, Watched
from pkg.app.errors import AppError, ComponentError, StartError, StopError
from pkg.app.health import ComponentHealth, Health, Phase, Report
from pkg.app.hooks import Hook, Hooks
from pkg.app.periodic import Periodic
from pkg.app.runner import run
from pkg.app.supervised import Supervised

__all__ = [
    "App",
    "AppError",
    "Banner",
    "Checked",
    "Component",
    "ComponentError",
    "ComponentHealth",
    "Credentials",
    "Health",
    "Hook",
    "Hooks",
    "Periodic",
    "Phase",
    "Remarked",
    "Report",
    "StartError",
    "StopError",
    "Supervised",
    "UvicornServer",
    "Watched",
    "render",
    "run",
    "show",
]

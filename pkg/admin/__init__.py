"""The port for probes, metrics and operators, apart from the business ports."""

from pkg.admin.app import AdminApp, Answer, Endpoint
from pkg.admin.server import AdminServer

__all__ = ["AdminApp", "AdminServer", "Answer", "Endpoint"]

"""Can what a method says of limits, caches and permissions be meant?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pkg.proto.options import declared

if TYPE_CHECKING:
    from pkg.proto.findings import Findings


def check_options(findings: Findings) -> None:
    """Looks at every method."""
    for service in findings.services():
        for method in service.methods:
            try:
                declared(findings.schema, method)
            except ValueError as error:
                findings.add(method, f"{method.full_name}: {error}")

"""How proto names are written in Python. The compiler of the messages decides; we only ask it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True)
class Naming:
    """Functions from a proto name to a Python name."""

    message: Callable[[str], str]
    """Of a message; a nested one is `Outer.Inner`."""
    field: Callable[[str], str]
    method: Callable[[str], str]


def betterproto2_naming() -> Naming:
    """betterproto2_compiler's own functions, so that its output and ours always agree."""
    # Imported here because the tests of what we render run where the compiler is not installed.
    from betterproto2_compiler.compile import naming

    return Naming(
        message=naming.pythonize_class_name,
        field=naming.pythonize_field_name,
        method=naming.pythonize_method_name,
    )

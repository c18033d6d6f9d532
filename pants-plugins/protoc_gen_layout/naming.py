"""How proto names are written in Python. The compiler of the messages decides; we only ask it."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from pkg.proto.python_names import PythonNames


def betterproto2_naming() -> PythonNames:
    """betterproto2_compiler's own functions, so that its output and ours always agree."""
    # By name: the compiler is there where protoc runs, but not where our tests and mypy do.
    naming: Any = import_module("betterproto2_compiler.compile.naming")
    return PythonNames(
        message=naming.pythonize_class_name,
        field=naming.pythonize_field_name,
        method=naming.pythonize_method_name,
    )

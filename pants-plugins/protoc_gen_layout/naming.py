"""How proto names are written in Python. The compiler of the messages decides; we only ask it."""

from __future__ import annotations

from pkg.proto.python_names import PythonNames


def betterproto2_naming() -> PythonNames:
    """betterproto2_compiler's own functions, so that its output and ours always agree."""
    # Imported here because the tests of what we render run where the compiler is not installed.
    from betterproto2_compiler.compile import naming

    return PythonNames(
        message=naming.pythonize_class_name,
        field=naming.pythonize_field_name,
        method=naming.pythonize_method_name,
    )

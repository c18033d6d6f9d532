"""Packages that a shell starts: once unpacked, they spare the start of a second Python.

Pex can (`--sh-boot`), and later versions of Pants have a field to say so; that of 2.17 has not, and
no seam either but the method that lists what Pex is told of a `pex_binary`.
"""

from __future__ import annotations

from typing import Any

from pants.backend.python.goals.package_pex_binary import PexBinaryFieldSet

SH_BOOT = "--sh-boot"


def rules() -> tuple[()]:
    """None of its own: every `pex_binary` is packaged so from now on."""
    listed = PexBinaryFieldSet.generate_additional_args

    def generate_additional_args(self: PexBinaryFieldSet, *given: Any) -> tuple[str, ...]:
        args = listed(self, *given)
        return args if SH_BOOT in args else (*args, SH_BOOT)

    PexBinaryFieldSet.generate_additional_args = generate_additional_args
    return ()

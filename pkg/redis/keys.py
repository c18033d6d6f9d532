"""Names of keys that a cluster keeps together."""

from __future__ import annotations


def tagged(prefix: str, name: str) -> str:
    """`<prefix>:{<name>}`: whatever is appended to it, a cluster keeps in the same slot.

    A brace in the name would end the part in braces early, and an empty one is none, so both are
    written with `%`. Different names give different keys.
    """
    if "%" in name or "{" in name or "}" in name:
        name = name.replace("%", "%25").replace("{", "%7B").replace("}", "%7D")
    return f"{prefix}:{{{name or '%'}}}"

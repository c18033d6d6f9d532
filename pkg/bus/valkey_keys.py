"""Keys of the bus on streams, see `pkg.bus.valkey_scripts`."""

from __future__ import annotations


class Keys:
    """Those of one topic."""

    def __init__(self, prefix: str, topic: str) -> None:
        self._base = f"{prefix}:{topic}:"
        self.meta = f"{self._base}meta"

    def stream(self, partition: int) -> str:
        """What lies in a partition."""
        return f"{self._base}{partition}"

    def positions(self, partition: int) -> str:
        """What the groups have committed."""
        return f"{self._base}positions:{partition}"

    def members(self, group: str) -> str:
        """Who is in a group."""
        return f"{self._base}members:{group}"

    def owner(self, group: str, partition: int) -> str:
        """Whose a partition is."""
        return f"{self._base}owner:{group}:{partition}"


def next_field(partition: int) -> str:
    """The field of `meta` that counts the offsets."""
    return f"next:{partition}"

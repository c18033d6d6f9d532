"""What a remote source says. Apart from the sources, so that the loader needs none of them."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Part:
    """One text of a source."""

    place: str
    """Where it stands, for people: `consul:config/user/prod.yaml`."""
    text: str = field(repr=False)
    """May hold secrets."""
    key: str = ""
    """The key whose value it is, such as `database.url`; empty for a YAML document."""


Said = tuple[Part, ...]
"""All that a source says, in the order in which it is merged: what comes later wins."""

"""What the rules in Python leave to the engine."""

from __future__ import annotations


class Foreign(Exception):  # noqa: N818 - no error: it only sends the caller to the engine
    """A rule of a kind that nothing is promised of."""

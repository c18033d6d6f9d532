"""Following what is said elsewhere, through outages."""

from pkg.follow.follower import Follower

__all__ = ["Follower"]

"""HTTP for proto operations and hand-written routes, one chain around both.

FastAPI is imported by `pkg.http.hand_written`, `pkg.http.docs` and what only they use.
"""

from pkg.http.app import HttpApp
from pkg.http.profile import Envelope, Problem, Profile, ProfileName, Reply, profile_of
from pkg.http.query import Query
from pkg.http.router import Router

__all__ = [
    "Envelope",
    "HttpApp",
    "Problem",
    "Profile",
    "ProfileName",
    "Query",
    "Reply",
    "Router",
    "profile_of",
]

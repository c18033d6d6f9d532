"""Access tokens: keys, issuing, verifying and revoking."""

from pkg.jwt.bearer import BearerAuthenticator
from pkg.jwt.claims import Claims
from pkg.jwt.followed import FollowedRevocations
from pkg.jwt.issuer import Issued, TokenIssuer
from pkg.jwt.keys import Key, KeyRing, load_keys
from pkg.jwt.redis import RedisRevocations
from pkg.jwt.revocations import MemoryRevocations, Revocations
from pkg.jwt.settings import KeySettings, RevocationSettings, TokenSettings
from pkg.jwt.verifier import TokenVerifier

__all__ = [
    "BearerAuthenticator",
    "Claims",
    "FollowedRevocations",
    "Issued",
    "Key",
    "KeyRing",
    "KeySettings",
    "MemoryRevocations",
    "RedisRevocations",
    "RevocationSettings",
    "Revocations",
    "TokenIssuer",
    "TokenSettings",
    "TokenVerifier",
    "load_keys",
]

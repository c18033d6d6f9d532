"""Reads access tokens, and believes only those that this service's keys have signed."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, Final

import orjson

import jwt
from pkg.errors import Fault
from pkg.jwt.claims import Claims
from pkg.jwt.signed import SignatureCheck, SignedToken

if TYPE_CHECKING:
    from pkg.clock import Clock
    from pkg.jwt.keys import KeyRing
    from pkg.jwt.settings import TokenSettings

LONGEST: Final = 8192
"""Characters of a token that is looked at."""


class TokenVerifier:
    """Verifies signature, issuer, audience and time. May be shared by threads.

    A token that was verified is remembered, and from then on only its time is checked. Revocation
    is not its matter.
    """

    def __init__(self, keys: KeyRing, settings: TokenSettings, clock: Clock) -> None:
        self._keys = {key.kid: SignatureCheck(key) for key in keys}
        self._settings = settings
        self._clock = clock
        self._leeway = settings.leeway.total_seconds()
        self._verified: OrderedDict[str, Claims] = OrderedDict()
        self._lock = threading.Lock()

    def verify(self, token: str) -> Claims:
        """What a good token says.

        Raises:
            Fault: TOKEN_EXPIRED for a genuine token whose time is over; UNAUTHENTICATED for any
                other that is not good. The cause, for the log, says what is wrong.
        """
        claims = self._verified.get(token)
        if claims is None:
            claims = self._read(token)
            self._remember(token, claims)
        now = self._clock.time()
        if now >= claims.expires_at + self._leeway:
            raise Fault("TOKEN_EXPIRED")
        if now < claims.not_before - self._leeway:
            raise Fault("UNAUTHENTICATED") from ValueError("not good yet")
        return claims

    def _read(self, token: str) -> Claims:
        try:
            if len(token) > LONGEST:
                raise ValueError("too long")
            signed = SignedToken.parse(token)
            kid = signed.header.get("kid")
            key = self._keys.get(kid) if isinstance(kid, str) else None
            if key is None:
                raise ValueError("no such kid")
            key.check(signed)
            claims = orjson.loads(signed.payload)
            if type(claims) is not dict:
                raise ValueError("no claims")
            for name, wanted in (("iss", self._settings.issuer), ("aud", self._settings.audience)):
                if claims.get(name) != wanted:
                    raise ValueError(f"claim {name} is another's")
            return Claims.from_json(claims)
        except (jwt.PyJWTError, ValueError) as error:
            # The cause may quote the header or a claim, never the signature.
            raise Fault("UNAUTHENTICATED") from error

    def _remember(self, token: str, claims: Claims) -> None:
        size = self._settings.cache_size
        if size == 0:
            return
        with self._lock:
            while len(self._verified) >= size:
                self._verified.popitem(last=False)
            self._verified[token] = claims

"""A token is believed only if this service signed it, for itself, and its time is now."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from pkg.clock import FakeClock
from pkg.errors import Fault
from pkg.jwt import (
    BearerAuthenticator,
    Key,
    KeyRing,
    MemoryRevocations,
    TokenIssuer,
    TokenSettings,
    TokenVerifier,
)
from pkg.tokens import FakeTokens

SECRET = b"q8Zr4-Vt1_Xp0Lm7Bn3Kc6Hd9Gf2Js5Wy"
OLD = Key("old", "HS256", SECRET[::-1], SECRET[::-1])
NEW = Key("new", "HS256", SECRET, SECRET)
SETTINGS = TokenSettings()
ALICE: dict[str, Any] = {
    "subject": "u1",
    "name": "alice",
    "role": "user",
    "session": "s1",
    "version": 2,
}


class Office:
    """An issuer and a verifier of one ring and one clock."""

    def __init__(self, *keys: Key, settings: TokenSettings = SETTINGS) -> None:
        self.clock = FakeClock()
        ring = KeyRing(keys or (NEW, OLD))
        self.issuer = TokenIssuer(ring, settings, self.clock, FakeTokens())
        self.verifier = TokenVerifier(ring, settings, self.clock)

    def token(self) -> str:
        return self.issuer.issue(**ALICE).token

    def forged(self, key: Any = SECRET, alg: str = "HS256", kid: Any = "new", **claims: Any) -> str:
        """A token with claims of one's own choice; None leaves one out."""
        good = self.issuer.issue(**ALICE).claims.to_json()
        whole = good | {"iss": SETTINGS.issuer, "aud": SETTINGS.audience} | claims
        payload = {name: value for name, value in whole.items() if value is not None}
        return jwt.encode(payload, key, algorithm=alg, headers={"kid": kid} if kid else None)

    def refusal(self, token: str) -> str:
        with pytest.raises(Fault) as caught:
            self.verifier.verify(token)
        return caught.value.reason


def test_what_was_issued_is_read_back() -> None:
    office = Office()

    issued = office.issuer.issue(**ALICE)
    claims = office.verifier.verify(issued.token)

    assert claims == issued.claims
    assert claims.principal.subject == "u1"
    assert claims.principal.token_id == FakeTokens().hex(16)
    assert claims.expires_at - claims.issued_at == 15 * 60
    assert issued.token not in repr(issued)


def test_whom_a_user_belongs_to_is_in_the_token() -> None:
    office = Office()

    token = office.issuer.issue(**ALICE, tenant="acme").token
    assert office.verifier.verify(token).principal.tenant == "acme"
    assert office.verifier.verify(office.token()).principal.tenant == ""


def test_each_token_has_an_id_of_its_own() -> None:
    office = Office()

    assert office.token() != office.token()


def test_a_token_needs_a_subject() -> None:
    with pytest.raises(ValueError, match="subject"):
        Office().issuer.issue(**(ALICE | {"subject": ""}))


def test_tokens_of_the_old_key_are_good_after_a_rotation() -> None:
    before = Office(OLD)

    assert Office(NEW, OLD).verifier.verify(before.token()).subject == "u1"
    assert Office(NEW).refusal(before.token()) == "UNAUTHENTICATED"


def test_tokens_can_be_signed_with_a_key_pair() -> None:
    private = Ed25519PrivateKey.generate()
    office = Office(Key("ed", "EdDSA", private, private.public_key()))

    assert office.verifier.verify(office.token()).name == "alice"


def test_a_token_expires_after_its_time_and_the_leeway() -> None:
    office = Office()
    token = office.token()

    office.clock.advance(timedelta(minutes=15, seconds=9))
    assert office.verifier.verify(token)

    office.clock.advance(timedelta(seconds=1))
    assert office.refusal(token) == "TOKEN_EXPIRED"


def test_a_remembered_token_expires_too() -> None:
    office = Office()
    token = office.token()
    office.verifier.verify(token)
    office.clock.advance(timedelta(minutes=16))

    assert office.refusal(token) == "TOKEN_EXPIRED"


def test_a_token_from_the_future_is_not_good_yet() -> None:
    office = Office()
    now = int(office.clock.time())

    assert office.verifier.verify(office.forged(nbf=now + 9))
    assert office.refusal(office.forged(nbf=now + 11)) == "UNAUTHENTICATED"


@pytest.mark.parametrize(
    "forgery",
    [
        {"key": b"another secret of thirty-two bytes"},
        {"kid": None},
        {"kid": "stranger"},
        {"kid": "old"},
        {"alg": "HS384", "key": SECRET * 2},
        {"iss": "somebody else"},
        {"aud": "somebody else"},
        {"aud": [SETTINGS.audience]},
        {"iss": None},
        {"aud": None},
        {"sub": ""},
        {"sub": None},
        {"sub": 7},
        {"jti": None},
        {"sid": None},
        {"ver": "2"},
        {"ver": True},
        {"role": None},
        {"exp": None},
        {"exp": "never"},
        {"exp": 1.5e300},
        {"nbf": None},
        {"iat": None},
    ],
)
@pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning")
def test_a_forged_token_is_refused(forgery: dict[str, Any]) -> None:
    office = Office()

    assert office.refusal(office.forged(**forgery)) == "UNAUTHENTICATED"


def test_the_algorithm_is_the_keys_and_not_the_tokens() -> None:
    private = Ed25519PrivateKey.generate()
    office = Office(Key("ed", "EdDSA", private, private.public_key()))
    public = private.public_key().public_bytes_raw()

    assert office.refusal(office.forged(key=public, alg="HS256", kid="ed")) == "UNAUTHENTICATED"
    assert office.refusal(office.forged(key=None, alg="none", kid="ed")) == "UNAUTHENTICATED"


@pytest.mark.parametrize(
    "token",
    ["", "x", "a.b.c", "....", "é", "eyJhbGciOiJIUzI1NiJ9..", "a" * 9000, "." * 8000],
)
def test_what_is_no_token_is_refused(token: str) -> None:
    assert Office().refusal(token) == "UNAUTHENTICATED"


def test_a_token_changed_by_one_letter_is_refused() -> None:
    office = Office()
    head, body, signature = office.token().split(".")
    changed = "A" if signature[0] != "A" else "B"

    assert office.refusal(f"{head}.{body}.{changed}{signature[1:]}") == "UNAUTHENTICATED"


@pytest.mark.parametrize("size", [0, 1, 2])
def test_memory_of_verified_tokens_is_bounded(size: int) -> None:
    office = Office(settings=TokenSettings(cache_size=size))
    tokens = [office.token() for _ in range(5)]

    for token in tokens * 2:
        assert office.verifier.verify(token).subject == "u1"


async def test_a_bearer_is_the_holder_of_a_good_token() -> None:
    office = Office()
    bearer = BearerAuthenticator(office.verifier, MemoryRevocations(office.clock))

    principal = await bearer.authenticate(office.token())

    assert (principal.subject, principal.name, principal.role) == ("u1", "alice", "user")
    assert principal.expires_at == office.clock.time() + 900


async def test_a_bearer_whose_session_ended_is_refused_though_remembered() -> None:
    office = Office()
    revocations = MemoryRevocations(office.clock)
    bearer = BearerAuthenticator(office.verifier, revocations)
    token = office.token()
    await bearer.authenticate(token)

    await revocations.end_session("s1", timedelta(minutes=15))

    with pytest.raises(Fault, match="UNAUTHENTICATED"):
        await bearer.authenticate(token)


async def test_a_bearer_with_an_older_version_is_refused() -> None:
    office = Office()
    revocations = MemoryRevocations(office.clock)
    bearer = BearerAuthenticator(office.verifier, revocations)
    await revocations.raise_version("u1", 3, timedelta(minutes=15))

    with pytest.raises(Fault, match="UNAUTHENTICATED"):
        await bearer.authenticate(office.token())

    newer = office.issuer.issue(**(ALICE | {"version": 3}))
    assert (await bearer.authenticate(newer.token)).subject == "u1"


def test_claims_are_values() -> None:
    claims = Office().issuer.issue(**ALICE).claims

    assert replace(claims, role="admin") != claims

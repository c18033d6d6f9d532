"""What is read of a token is what PyJWT reads of it, and nothing that PyJWT refuses is read."""

from __future__ import annotations

import base64
import json
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from hypothesis import given
from hypothesis import strategies as st

from pkg.jwt import Key
from pkg.jwt.signed import SignatureCheck, SignedToken

SECRET = b"q8Zr4-Vt1_Xp0Lm7Bn3Kc6Hd9Gf2Js5Wy"
KEY = Key("k", "HS256", SECRET, SECRET)
CLAIMS = {"sub": "u1", "name": "ünï", "exp": 4102444800}
TOKEN = jwt.encode(CLAIMS, SECRET, algorithm="HS256", headers={"kid": "k"})
LETTERS = "ABYZabyz0189-_+/=. \n\0é"


def segment(value: Any) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def read(token: str) -> Any:
    """The claims; None for what is refused."""
    try:
        signed = SignedToken.parse(token)
        SignatureCheck(KEY).check(signed)
    except ValueError:
        return None
    return json.loads(signed.payload)


def by_pyjwt(token: str) -> Any:
    try:
        return jwt.decode(token, SECRET, algorithms=["HS256"])
    except jwt.PyJWTError:
        return None


def test_a_token_is_read() -> None:
    assert read(TOKEN) == by_pyjwt(TOKEN) == CLAIMS
    assert SignedToken.parse(TOKEN).header["kid"] == "k"


@given(place=st.integers(0, len(TOKEN)), gone=st.integers(0, 3), put=st.text(LETTERS, max_size=3))
def test_a_changed_token_is_read_only_where_pyjwt_reads_it(place: int, gone: int, put: str) -> None:
    changed = TOKEN[:place] + put + TOKEN[place + gone :]

    found = read(changed)

    assert found is None or found == by_pyjwt(changed)
    assert (found is not None) is (changed == TOKEN)


@pytest.mark.parametrize(
    "header",
    [
        {"alg": "none"},
        {"alg": "HS384"},
        {"alg": ["HS256"]},
        {},
        [],
        "HS256",
        {"alg": "HS256", "crit": ["b64"], "b64": False},
        {"alg": "HS256", "crit": ["exp"]},
        {"alg": "HS256", "b64": True},
    ],
)
def test_a_header_that_is_not_ours_is_refused_though_signed(header: Any) -> None:
    signed = f"{segment(header)}.{segment(CLAIMS)}"
    signature = jwt.get_algorithm_by_name("HS256").sign(signed.encode(), SECRET)

    assert read(f"{signed}.{segment(signature)}") is None


@pytest.mark.parametrize("name", ["EdDSA", "RS256"])
def test_key_pairs_verify_what_they_have_signed_and_nothing_else(name: Any) -> None:
    def pair() -> Any:
        return (
            Ed25519PrivateKey.generate() if name == "EdDSA" else generate_private_key(65537, 2048)
        )

    ours, theirs = pair(), pair()
    check = SignatureCheck(Key("k", name, ours, ours.public_key()))

    check.check(SignedToken.parse(jwt.encode(CLAIMS, ours, algorithm=name)))
    with pytest.raises(ValueError, match="not signed with its key"):
        check.check(SignedToken.parse(jwt.encode(CLAIMS, theirs, algorithm=name)))


def test_a_key_that_is_void_verifies_nothing() -> None:
    check = SignatureCheck(Key("k", "HS256", b"", b""))

    with pytest.raises(jwt.PyJWTError, match="empty"):
        check.check(SignedToken.parse(TOKEN))

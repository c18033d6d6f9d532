"""A key that would let somebody else sign tokens stops the start."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from pydantic import ValidationError

from pkg.jwt import Key, KeyRing, KeySettings, TokenSettings, load_keys
from pkg.tokens import FakeTokens

STRONG = "q8Zr4-Vt1_Xp0Lm7Bn3Kc6Hd9Gf2Js5Wy"


def pem(key: Any) -> tuple[str, str]:
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return private.decode(), public.decode()


def keys(*settings: dict[str, Any], dev: bool = False, data_dir: Path | None = None) -> KeyRing:
    read = TokenSettings.model_validate({"keys": settings}).keys
    return load_keys(read, dev=dev, data_dir=data_dir or Path("/nowhere"), tokens=FakeTokens())


def test_the_first_key_signs_and_all_are_found() -> None:
    ring = keys({"kid": "new", "secret": STRONG}, {"kid": "old", "secret": STRONG[::-1]})

    assert ring.signing.kid == "new"
    assert [key.kid for key in ring] == ["new", "old"]


def test_pem_keys_are_read() -> None:
    ed_private, _ = pem(Ed25519PrivateKey.generate())
    _, rsa_public = pem(generate_private_key(65537, 2048))

    ring = keys(
        {"kid": "ed", "alg": "EdDSA", "privateKey": ed_private},
        {"kid": "rsa", "alg": "RS256", "publicKey": rsa_public},
    )

    assert ring.signing.alg == "EdDSA"
    assert "rsa" in {key.kid for key in ring}


WEAK_RSA, _ = pem(generate_private_key(65537, 1024))  # noqa: S505 - to be refused
ED_PRIVATE, ED_PUBLIC = pem(Ed25519PrivateKey.generate())


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ([], "no key is configured"),
        ([{"kid": "a", "secret": "x" * 31}], "shorter than 32 bytes"),
        ([{"kid": "a", "secret": "change-me-please-" * 3}], "demo secret"),
        ([{"kid": "a", "secret": "My-SECRET-key-0123456789-abcdefgh"}], "demo secret"),
        ([{"kid": "a", "secret": "ab" * 20}], "demo secret"),
        ([{"kid": "a", "secret": STRONG}, {"kid": "a", "secret": STRONG}], "two keys"),
        ([{"kid": "a", "alg": "EdDSA", "privateKey": "not a key"}], "not a PEM key"),
        ([{"kid": "a", "alg": "RS256", "privateKey": ED_PRIVATE}], "not a key for RS256"),
        ([{"kid": "a", "alg": "EdDSA", "publicKey": ED_PUBLIC}], "no private key to sign with"),
        ([{"kid": "a", "alg": "RS256", "privateKey": WEAK_RSA}], "at least 2048 bits"),
    ],
)
def test_a_key_that_is_not_safe_is_refused(settings: list[dict[str, Any]], says: str) -> None:
    with pytest.raises(ValueError, match=says) as caught:
        keys(*settings)

    assert all(each.get("secret", "-") not in str(caught.value) for each in settings)


@pytest.mark.parametrize(
    "settings",
    [
        {"kid": "a"},
        {"kid": "a", "secret": STRONG, "privateKey": "x"},
        {"kid": "a", "alg": "EdDSA"},
        {"kid": "a", "alg": "EdDSA", "secret": STRONG},
        {"kid": "a", "alg": "none", "secret": STRONG},
        {"kid": "a b", "secret": STRONG},
    ],
)
def test_settings_that_do_not_fit_together_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as caught:
        KeySettings.model_validate(settings)

    assert STRONG not in str(caught.value)


def test_a_demo_secret_passes_in_dev() -> None:
    assert keys({"kid": "a", "secret": "change-me-" * 4}, dev=True).signing.kid == "a"


def test_dev_makes_a_key_and_keeps_it(tmp_path: Path) -> None:
    first = keys(dev=True, data_dir=tmp_path / "data").signing
    again = keys(dev=True, data_dir=tmp_path / "data").signing
    elsewhere = load_keys(
        (), dev=True, data_dir=tmp_path / "other", tokens=FakeTokens("other")
    ).signing

    assert first.signing == again.signing != elsewhere.signing
    assert len(first.signing) >= 32
    kept = tmp_path / "data" / "jwt.key"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert [each.name for each in kept.parent.iterdir()] == ["jwt.key"]


def test_a_kept_key_that_was_cut_short_is_refused(tmp_path: Path) -> None:
    (tmp_path / "jwt.key").write_bytes(b"")

    with pytest.raises(ValueError, match="shorter"):
        keys(dev=True, data_dir=tmp_path)


def test_a_ring_needs_a_key() -> None:
    with pytest.raises(ValueError, match="no key"):
        KeyRing([])
    with pytest.raises(ValueError, match="no private key"):
        KeyRing([Key("a", "EdDSA", None, object())])

"""The keys that tokens are signed and verified with.

A key has one algorithm, and a token is verified with the key that its `kid` names by that key's
algorithm: what the token says of its algorithm decides nothing.
"""

from __future__ import annotations

import base64
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from pkg.jwt.settings import Algorithm, KeySettings
    from pkg.tokens import Tokens

SHORTEST_SECRET: Final = 32
"""Bytes; a shorter one is guessed sooner than HMAC-SHA256 is broken."""

SHORTEST_RSA: Final = 2048
"""Bits."""

GENERATED_KID: Final = "dev"

_FEW: Final = 8
"""Different bytes that a secret must have at least; one with fewer was typed, not drawn."""

_KNOWN: Final = ("change", "secret", "example", "default", "password", "py-grpc-layout")
"""What secrets out of documentation and samples have in them."""

_ASYMMETRIC: Final = {
    "EdDSA": (Ed25519PrivateKey, Ed25519PublicKey),
    "RS256": (RSAPrivateKey, RSAPublicKey),
}


@dataclass(frozen=True, slots=True)
class Key:
    """One key, ready for use."""

    kid: str
    alg: Algorithm
    signing: Any
    """None where only the public half is known."""
    verifying: Any


class KeyRing:
    """The keys of one service. Immutable."""

    def __init__(self, keys: Iterable[Key]) -> None:
        """The first key signs, all verify.

        Raises:
            ValueError: there is none, two have one kid, or the first cannot sign.
        """
        self._keys: dict[str, Key] = {}
        for key in keys:
            if key.kid in self._keys:
                raise ValueError(f'two keys have the kid "{key.kid}"')
            self._keys[key.kid] = key
        if not self._keys:
            raise ValueError("no key to sign tokens with")
        self.signing = next(iter(self._keys.values()))
        if self.signing.signing is None:
            raise ValueError(
                f'the first key, "{self.signing.kid}", has no private key to sign with'
            )

    def __iter__(self) -> Iterator[Key]:
        """All keys, the one that signs first."""
        return iter(self._keys.values())


def load_keys(
    settings: Iterable[KeySettings], *, dev: bool, data_dir: Path, tokens: Tokens
) -> KeyRing:
    """The configured keys; in `env: dev` without any, one that is made once and kept.

    Args:
        settings: the first signs.
        dev: whether demo secrets pass and a missing key is made.
        data_dir: where the made key is kept, readable by its owner alone.
        tokens: where it is drawn from.

    Raises:
        ValueError: no key outside dev; a secret that is short, or outside dev well known; a PEM
            that is not a key of its algorithm. Never has the secret in its text.
        OSError: the made key cannot be kept.
    """
    keys = [_key(each, dev=dev) for each in settings]
    if not keys and dev:
        keys = [_generated(data_dir, tokens)]
    if not keys:
        raise ValueError("no key is configured, and only `env: dev` makes one")
    return KeyRing(keys)


def _key(settings: KeySettings, *, dev: bool) -> Key:
    kid = settings.kid
    if settings.secret is not None:
        secret = settings.secret.get_secret_value().encode()
        _judge(kid, secret, dev=dev)
        return Key(kid, settings.alg, secret, secret)
    private_type, public_type = _ASYMMETRIC[settings.alg]
    try:
        if settings.private_key is not None:
            pem = settings.private_key.get_secret_value().encode()
            private: Any = load_pem_private_key(pem, password=None)
            public: Any = private.public_key()
        else:
            private, public = None, load_pem_public_key((settings.public_key or "").encode())
    except (ValueError, TypeError) as error:
        raise ValueError(f'key "{kid}": not a PEM key without password') from error
    if not isinstance(public, public_type) or not isinstance(private, private_type | None):
        raise ValueError(f'key "{kid}": not a key for {settings.alg}')
    if isinstance(public, RSAPublicKey) and public.key_size < SHORTEST_RSA:
        raise ValueError(f'key "{kid}": RSA needs at least {SHORTEST_RSA} bits')
    return Key(kid, settings.alg, private, public)


def _judge(kid: str, secret: bytes, *, dev: bool) -> None:
    if len(secret) < SHORTEST_SECRET:
        raise ValueError(f'key "{kid}": the secret is shorter than {SHORTEST_SECRET} bytes')
    text = secret.decode(errors="replace").lower()
    if not dev and (len(set(secret)) < _FEW or any(word in text for word in _KNOWN)):
        raise ValueError(f'key "{kid}": a demo secret is for `env: dev` only')


def _generated(data_dir: Path, tokens: Tokens) -> Key:
    path = data_dir / "jwt.key"
    data_dir.mkdir(parents=True, exist_ok=True)
    drawn = base64.urlsafe_b64encode(tokens.random_bytes(SHORTEST_SECRET * 2))
    # Written aside and linked, so that processes that start at once all get the same whole key.
    aside = data_dir / f".jwt.key.{os.getpid()}"
    aside.unlink(missing_ok=True)
    with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(drawn)
    try:
        os.link(aside, path)
    except FileExistsError:
        pass
    finally:
        aside.unlink()
    secret = path.read_bytes()
    _judge(GENERATED_KID, secret, dev=True)
    return Key(GENERATED_KID, "HS256", secret, secret)

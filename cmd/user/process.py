"""What the whole process shares: made once, immutable or safe for every thread and loop."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Final

from internal.user.data import FileDictionary
from internal.user.server.operations import policy_keeping
from pkg.config import ConfigError, Problem
from pkg.filestore import DirectoryFileStore
from pkg.jwt import FollowedRevocations, TokenIssuer, TokenVerifier, load_keys
from pkg.password import Argon2Passwords
from pkg.rbac import PolicyEngine
from pkg.service import Chains

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from internal.user.server.settings import UserSettings
    from pkg.bus import Producer
    from pkg.filestore import FileStore
    from pkg.jwt import KeyRing
    from pkg.rbac import PolicySet
    from pkg.rpc.registry import Registry
    from pkg.service import Standard
    from pkg.tokens import Tokens

SERVICE: Final = "user"
VERSION: Final = "0.1.0"

CONFIGURATION: Final = files("configs.user.conf")
"""The YAML files that are packaged with the service."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Process:
    """The shared half of the object graph; `user.graph` builds the other half for each loop."""

    standard: Standard[UserSettings]
    registry: Registry
    chains: Chains
    issuer: TokenIssuer
    verifier: TokenVerifier
    revocations: FollowedRevocations
    hasher: Argon2Passwords
    policies: PolicyEngine
    protected: frozenset[tuple[str, str]]
    """Resource and action of the operations that keep policies."""
    dictionary: FileDictionary
    files: FileStore


def make(
    standard: Standard[UserSettings],
    registry: Registry,
    *,
    keys: KeyRing,
    producer: Producer,
    load_policies: Callable[[], Awaitable[PolicySet]],
) -> Process:
    """Make what is shared. `producer` and `load_policies` are used on the main loop."""
    settings, clock, tokens = standard.settings, standard.clock, standard.tokens
    return Process(
        standard=standard,
        registry=registry,
        chains=Chains(standard, registry, producer),
        issuer=TokenIssuer(keys, settings.auth, clock, tokens),
        verifier=TokenVerifier(keys, settings.auth, clock),
        revocations=FollowedRevocations(
            settings.auth.revocations,
            clock=clock,
            chance=standard.chance,
            registry=standard.metrics,
        ),
        hasher=Argon2Passwords(settings.password, tokens),
        policies=PolicyEngine(load_policies, clock=clock, max_stale=settings.policies.max_stale),
        protected=policy_keeping(registry),
        dictionary=FileDictionary(settings.dictionary.path or _packaged_dictionary()),
        files=DirectoryFileStore(settings.data.dir / "avatars", tokens),
    )


def signing_keys(settings: UserSettings, tokens: Tokens) -> KeyRing:
    """The keys that tokens are signed and verified with.

    Raises:
        ConfigError: there is none, or one that must not be used here.
    """
    try:
        return load_keys(
            settings.auth.keys,
            dev=settings.env == "dev",
            data_dir=settings.data.dir,
            tokens=tokens,
        )
    except (ValueError, OSError) as error:
        raise ConfigError([Problem("configuration", "auth.keys", str(error))]) from error


def _packaged_dictionary() -> Path:
    return Path(str(CONFIGURATION / "dict.json"))

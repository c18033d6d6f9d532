"""What a password costs to check, and to guess."""

from __future__ import annotations

from pydantic import Field

from pkg.config import ByteSize, Settings


class PasswordSettings(Settings):
    """Argon2id. A change holds for new hashes; the others are made anew when they are next used."""

    rounds: int = Field(default=3, ge=1, le=64)
    """Passes over the memory."""
    memory: ByteSize = Field(default=ByteSize(64 * 1024 * 1024), ge=8 * 1024 * 1024)
    """Of one hash while it is computed, at least 8MiB."""
    parallelism: int = Field(default=1, ge=1, le=16)
    """Threads of one hash."""
    concurrency: int = Field(default=2, ge=1, le=64)
    """Hashes at a time; who comes next waits. Bounds memory and the processor's load."""

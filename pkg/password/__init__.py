"""Passwords: hashed with Argon2id, verified in equal time, upgraded when they are used."""

from pkg.password.fake import FakePasswords
from pkg.password.hasher import Argon2Passwords, Passwords, Verdict
from pkg.password.settings import PasswordSettings

__all__ = ["Argon2Passwords", "FakePasswords", "PasswordSettings", "Passwords", "Verdict"]

"""Ending every session of a user, in the unit of work that gives the reason."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from internal.user.biz.security import SessionRevoker
    from internal.user.biz.unit_of_work import UnitOfWork
    from internal.user.biz.user import User


async def save_and_revoke(
    work: UnitOfWork, user: User, *, revoker: SessionRevoker, at: datetime
) -> User:
    """Store a changed user and end all its sessions; returns it as stored.

    Its refresh tokens are revoked with the change. Its access tokens are refused by their version
    once it is committed, and tokens signed meanwhile carry the new version.
    """
    user = replace(user, token_version=user.token_version + 1)
    await work.users.save(user)
    await work.refresh_tokens.revoke_user(user.uid, at)
    work.after_commit(lambda: revoker.raise_version(user.uid, user.token_version))
    return user

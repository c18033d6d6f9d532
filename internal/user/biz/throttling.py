"""Slowing down who guesses: which keys count, and the refusal."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

from internal.user import ecode
from internal.user.biz.user import name_key

if TYPE_CHECKING:
    from collections.abc import Sequence

    from internal.user.biz.security import Throttle


def account_key(user_name: str) -> str:
    """One account, whatever address it is tried from."""
    return f"login:user:{name_key(user_name)}"


def peer_keys(action: str, peer: str) -> tuple[str, ...]:
    """One address, whatever accounts it tries; none where the transport knows no address."""
    return (f"{action}:peer:{peer}",) if peer else ()


def is_peer_key(key: str) -> bool:
    """Whether a key counts the failures of an address: many people may share one."""
    return key.split(":", 2)[1:2] == ["peer"]


async def admit(throttle: Throttle, keys: Sequence[str]) -> None:
    """Let a try under these keys pass.

    Raises:
        Fault: LOGIN_THROTTLED, with `retry_after` in whole seconds.
    """
    wait = await throttle.check(keys)
    if wait is not None:
        raise ecode.login_throttled(metadata={"retry_after": str(max(1, ceil(wait)))})

"""Between what travels and what biz speaks of, where several services need it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from api.user.any.v1 import UserInfo
from internal.user.biz import Actor

if TYPE_CHECKING:
    from internal.user.biz import User
    from pkg.rpc import Call


def actor(call: Call) -> Actor:
    """The signed-in user of a call."""
    caller = call.caller
    return Actor(caller.subject, caller.name, caller.role, caller.session)


def user_info(user: User) -> UserInfo:
    """A user as others see it: without password and token version."""
    return UserInfo(
        id=user.id,
        uid=user.uid,
        user_name=user.user_name,
        nick_name=user.nick_name,
        birth=user.birth.isoformat(),
        avatar=user.avatar,
        role_id=user.role_id,
        role_name=user.role_name,
        phone=user.phone,
        wechat=user.wechat,
        email=user.email,
        state=int(user.state),
        motto=user.motto,
    )

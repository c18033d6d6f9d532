"""Users, as an administrator sees them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from api.user.http.v1 import ListUsersReply, UpdateUserStateReply
from internal.user import biz
from internal.user.service.convert import actor, user_info

if TYPE_CHECKING:
    from api.user.http.v1 import ListUsersRequest, UpdateUserStateRequest
    from pkg.rpc import Call


class UserService:
    """Implements user.http.v1.UserService."""

    def __init__(self, *, users: biz.UserUsecase) -> None:
        self._users = users

    async def list_users(self, request: ListUsersRequest, call: Call, /) -> ListUsersReply:
        wanted = biz.UserFilter(
            user_name=request.user_name,
            nick_name=request.nick_name,
            phone=request.phone,
            role_id=request.role_id,
            state=None if request.state is None else biz.UserState(request.state),
        )
        found = await self._users.list(wanted, biz.Page.of(request.page, request.page_size))
        return ListUsersReply(
            page=found.page.number,
            page_size=found.page.size,
            total=found.total,
            items=[user_info(user) for user in found.items],
        )

    async def update_user_state(
        self, request: UpdateUserStateRequest, call: Call, /
    ) -> UpdateUserStateReply:
        await self._users.set_state(actor(call), request.uid, biz.UserState(request.state))
        return UpdateUserStateReply()

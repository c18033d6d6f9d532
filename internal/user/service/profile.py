"""What a signed-in user reads and changes of itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from api.user.http.v1 import (
    Setting,
    UpdatePasswordReply,
    UpdateSettingReply,
    UpdateUserInfoReply,
)
from internal.user import biz
from internal.user.service.convert import actor, user_info

if TYPE_CHECKING:
    from api.user.any.v1 import UserInfo
    from api.user.http.v1 import (
        GetSettingRequest,
        GetUserInfoRequest,
        UpdatePasswordRequest,
        UpdateSettingRequest,
        UpdateUserInfoRequest,
    )
    from pkg.rpc import Call


class ProfileService:
    """Implements user.http.v1.ProfileService."""

    def __init__(self, *, profile: biz.ProfileUsecase, settings: biz.SettingUsecase) -> None:
        self._profile = profile
        self._settings = settings

    async def get_user_info(self, request: GetUserInfoRequest, call: Call, /) -> UserInfo:
        return user_info(await self._profile.get(actor(call)))

    async def update_user_info(
        self, request: UpdateUserInfoRequest, call: Call, /
    ) -> UpdateUserInfoReply:
        change = biz.ProfileChange(
            nick_name=request.nick_name,
            birth=request.birth,
            phone=request.phone,
            wechat=request.wechat,
            email=request.email,
            motto=request.motto,
        )
        await self._profile.update(actor(call), change)
        return UpdateUserInfoReply()

    async def update_password(
        self, request: UpdatePasswordRequest, call: Call, /
    ) -> UpdatePasswordReply:
        await self._profile.change_password(
            actor(call),
            old_password=request.old_password,
            new_password=request.new_password,
            peer=call.peer,
        )
        return UpdatePasswordReply()

    async def get_setting(self, request: GetSettingRequest, call: Call, /) -> Setting:
        setting = await self._settings.get(actor(call))
        return Setting(
            id=setting.id,
            lang=setting.lang,
            side_mode_color=setting.side_mode_color,
            collapse=setting.collapse,
            breadcrumb=setting.breadcrumb,
            default_router=setting.default_router,
            active_text_color=setting.active_text_color,
            active_background_color=setting.active_background_color,
            uid=setting.uid,
        )

    async def update_setting(
        self, request: UpdateSettingRequest, call: Call, /
    ) -> UpdateSettingReply:
        me = actor(call)
        setting = biz.Setting(
            uid=me.uid,
            lang=request.lang,
            side_mode_color=request.side_mode_color,
            collapse=request.collapse,
            breadcrumb=request.breadcrumb,
            default_router=request.default_router,
            active_text_color=request.active_text_color,
            active_background_color=request.active_background_color,
        )
        await self._settings.update(me, setting)
        return UpdateSettingReply()

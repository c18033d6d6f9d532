"""Signing in and out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from api.user.http.v1 import (
    GetCaptchaReply,
    LoginReply,
    LogoutReply,
    RefreshTokenReply,
    RegisterReply,
    VerifyTokenReply,
)
from internal.user.biz import Credentials, NewAccount
from internal.user.service.convert import actor

if TYPE_CHECKING:
    from api.user.http.v1 import (
        GetCaptchaRequest,
        LoginRequest,
        LogoutRequest,
        RefreshTokenRequest,
        RegisterRequest,
        VerifyTokenRequest,
    )
    from internal.user.biz import CaptchaUsecase, LoginUsecase, RegisterUsecase, SessionUsecase
    from pkg.rpc import Call


class AuthService:
    """Implements user.http.v1.AuthService."""

    def __init__(
        self,
        *,
        captcha: CaptchaUsecase,
        register: RegisterUsecase,
        login: LoginUsecase,
        sessions: SessionUsecase,
    ) -> None:
        self._captcha = captcha
        self._register = register
        self._login = login
        self._sessions = sessions

    async def get_captcha(self, request: GetCaptchaRequest, call: Call, /) -> GetCaptchaReply:
        challenge = await self._captcha.create()
        return GetCaptchaReply(
            captcha_id=challenge.id, pic_path=challenge.picture, captcha_length=challenge.length
        )

    async def hear_captcha(self, captcha_id: str) -> bytes:
        """The digits of a captcha as a WAV file, for a hand-written route."""
        return await self._captcha.audio(captcha_id)

    async def register(self, request: RegisterRequest, call: Call, /) -> RegisterReply:
        account = NewAccount(
            user_name=request.user_name,
            password=request.password,
            captcha_id=request.captcha_id,
            captcha=request.captcha,
            nick_name=request.nick_name,
            email=request.email,
            phone=request.phone,
        )
        return RegisterReply(uid=await self._register.register(account, peer=call.peer))

    async def login(self, request: LoginRequest, call: Call, /) -> LoginReply:
        credentials = Credentials(
            request.user_name, request.password, request.captcha_id, request.captcha
        )
        signed_in = await self._login.login(credentials, peer=call.peer)
        user = signed_in.user
        return LoginReply(
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
            token=signed_in.tokens.access,
            refresh_token=signed_in.tokens.refresh,
        )

    async def refresh_token(self, request: RefreshTokenRequest, call: Call, /) -> RefreshTokenReply:
        tokens = await self._sessions.refresh(request.refresh_token)
        return RefreshTokenReply(token=tokens.access, refresh_token=tokens.refresh)

    async def logout(self, request: LogoutRequest, call: Call, /) -> LogoutReply:
        await self._sessions.logout(actor(call))
        return LogoutReply()

    async def verify_token(self, request: VerifyTokenRequest, call: Call, /) -> VerifyTokenReply:
        caller = call.caller
        return VerifyTokenReply(
            uid=caller.subject,
            user_name=caller.name,
            role_id=caller.role,
            expires_at=int(caller.expires_at),
        )

"""What other services ask."""

from __future__ import annotations

from typing import TYPE_CHECKING

from api.user.grpc.v1 import BatchGetUserInfoReply, CheckPermissionReply, VerifyTokenReply
from internal.user.service.convert import user_info

if TYPE_CHECKING:
    from api.user.any.v1 import UserInfo
    from api.user.grpc.v1 import (
        BatchGetUserInfoRequest,
        CheckPermissionRequest,
        GetUserInfoRequest,
        VerifyTokenRequest,
    )
    from internal.user.biz import PolicyUsecase, SessionUsecase, UserUsecase
    from pkg.rpc import Call


class IdentityService:
    """Implements user.grpc.v1.IdentityService."""

    def __init__(
        self, *, users: UserUsecase, sessions: SessionUsecase, policies: PolicyUsecase
    ) -> None:
        self._users = users
        self._sessions = sessions
        self._policies = policies

    async def get_user_info(self, request: GetUserInfoRequest, call: Call, /) -> UserInfo:
        found = await self._users.get(uid=request.uid or "", user_name=request.user_name or "")
        return user_info(found)

    async def batch_get_user_info(
        self, request: BatchGetUserInfoRequest, call: Call, /
    ) -> BatchGetUserInfoReply:
        return BatchGetUserInfoReply(
            users=[user_info(user) for user in await self._users.batch(request.uids)]
        )

    async def verify_token(self, request: VerifyTokenRequest, call: Call, /) -> VerifyTokenReply:
        identity = await self._sessions.verify(request.token)
        if identity is None:
            return VerifyTokenReply(valid=False)
        return VerifyTokenReply(
            valid=True,
            uid=identity.subject,
            user_name=identity.name,
            role_id=identity.role,
            expires_at=int(identity.expires_at),
        )

    async def check_permission(
        self, request: CheckPermissionRequest, call: Call, /
    ) -> CheckPermissionReply:
        allowed = self._policies.allowed(request.role_id, request.path, request.method)
        return CheckPermissionReply(allowed=allowed)

"""Roles, and who has them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from api.user.http.v1 import (
    AddRoleReply,
    AssignRoleReply,
    DeleteRoleReply,
    ListRolesReply,
    Role,
    UpdateRoleReply,
)
from internal.user import biz
from internal.user.service.convert import actor

if TYPE_CHECKING:
    from api.user.http.v1 import (
        AddRoleRequest,
        AssignRoleRequest,
        DeleteRoleRequest,
        ListRolesRequest,
        UpdateRoleRequest,
    )
    from pkg.rpc import Call


class RoleService:
    """Implements user.http.v1.RoleService."""

    def __init__(self, *, roles: biz.RoleUsecase) -> None:
        self._roles = roles

    async def list_roles(self, request: ListRolesRequest, call: Call, /) -> ListRolesReply:
        return ListRolesReply(
            items=[
                Role(
                    role_id=role.role_id,
                    role_name=role.role_name,
                    parent_id=role.parent_id,
                    desc=role.desc,
                )
                for role in await self._roles.list()
            ]
        )

    async def add_role(self, request: AddRoleRequest, call: Call, /) -> AddRoleReply:
        await self._roles.add(actor(call), _role(request))
        return AddRoleReply()

    async def update_role(self, request: UpdateRoleRequest, call: Call, /) -> UpdateRoleReply:
        await self._roles.update(actor(call), _role(request))
        return UpdateRoleReply()

    async def delete_role(self, request: DeleteRoleRequest, call: Call, /) -> DeleteRoleReply:
        await self._roles.delete(actor(call), request.role_id)
        return DeleteRoleReply()

    async def assign_role(self, request: AssignRoleRequest, call: Call, /) -> AssignRoleReply:
        await self._roles.assign(actor(call), request.uids, request.role_id)
        return AssignRoleReply()


def _role(request: AddRoleRequest | UpdateRoleRequest) -> biz.Role:
    return biz.Role(request.role_id, request.role_name, request.parent_id, request.desc)

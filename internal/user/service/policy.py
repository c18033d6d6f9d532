"""Which role may call which operation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from api.user.http.v1 import (
    AddPolicyReply,
    DeletePolicyReply,
    ListPoliciesReply,
    Policy,
    UpdatePolicyReply,
)
from internal.user import biz
from internal.user.service.convert import actor

if TYPE_CHECKING:
    from api.user.http.v1 import (
        AddPolicyRequest,
        DeletePolicyRequest,
        ListPoliciesRequest,
        UpdatePolicyRequest,
    )
    from pkg.rpc import Call


class PolicyService:
    """Implements user.http.v1.PolicyService."""

    def __init__(self, *, policies: biz.PolicyUsecase) -> None:
        self._policies = policies

    async def list_policies(self, request: ListPoliciesRequest, call: Call, /) -> ListPoliciesReply:
        wanted = biz.PolicyFilter(request.role_ids, request.path, request.method)
        found = await self._policies.list(wanted, biz.Page.of(request.page, request.page_size))
        return ListPoliciesReply(
            page=found.page.number,
            page_size=found.page.size,
            total=found.total,
            items=[
                Policy(
                    id=policy.id,
                    role_ids=policy.role_id,
                    path=policy.path,
                    method=policy.method,
                    desc=policy.desc,
                )
                for policy in found.items
            ],
        )

    async def add_policy(self, request: AddPolicyRequest, call: Call, /) -> AddPolicyReply:
        await self._policies.add(actor(call), _policy(request))
        return AddPolicyReply()

    async def update_policy(self, request: UpdatePolicyRequest, call: Call, /) -> UpdatePolicyReply:
        await self._policies.update(actor(call), _policy(request, request.id))
        return UpdatePolicyReply()

    async def delete_policy(self, request: DeletePolicyRequest, call: Call, /) -> DeletePolicyReply:
        await self._policies.delete(actor(call), request.id)
        return DeletePolicyReply()


def _policy(request: AddPolicyRequest | UpdatePolicyRequest, policy_id: int = 0) -> biz.Policy:
    return biz.Policy(
        id=policy_id,
        role_id=request.role_ids,
        path=request.path,
        method=request.method,
        desc=request.desc,
    )

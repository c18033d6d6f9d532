"""The services of one event loop, and how each transport gets them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from api.user.grpc.v1.service import identity_service
from api.user.http.v1.service import (
    auth_service,
    menu_service,
    policy_service,
    profile_service,
    role_service,
    system_service,
    user_service,
)

if TYPE_CHECKING:
    from internal.user.service import (
        AuthService,
        AvatarService,
        IdentityService,
        MenuService,
        PolicyService,
        ProfileService,
        RoleService,
        SystemService,
        UserService,
    )
    from pkg.rpc import Bound


@dataclass(frozen=True, kw_only=True, slots=True)
class Services:
    """Implementations, each on the use cases of its loop."""

    auth: AuthService
    profile: ProfileService
    menu: MenuService
    policy: PolicyService
    role: RoleService
    user: UserService
    system: SystemService
    identity: IdentityService
    avatar: AvatarService

    def public(self) -> tuple[Bound, ...]:
        """What people and their browsers call: over HTTP, and over gRPC too."""
        return (
            auth_service(self.auth),
            profile_service(self.profile),
            menu_service(self.menu),
            policy_service(self.policy),
            role_service(self.role),
            user_service(self.user),
            system_service(self.system),
        )

    def internal(self) -> tuple[Bound, ...]:
        """What only other services call, over gRPC."""
        return (identity_service(self.identity),)

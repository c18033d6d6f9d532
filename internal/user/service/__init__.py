"""Messages in, use case, messages out: one class per proto service, one line or few per RPC.

Nothing is decided here. The subject comes from the call's token, never from the message.
"""

from internal.user.service.auth import AuthService
from internal.user.service.avatar import AvatarService
from internal.user.service.identity import IdentityService
from internal.user.service.menu import MenuService
from internal.user.service.policy import PolicyService
from internal.user.service.profile import ProfileService
from internal.user.service.role import RoleService
from internal.user.service.system import SystemService
from internal.user.service.user import UserService

__all__ = [
    "AuthService",
    "AvatarService",
    "IdentityService",
    "MenuService",
    "PolicyService",
    "ProfileService",
    "RoleService",
    "SystemService",
    "UserService",
]

"""What the user service does, free of transports, frameworks and databases.

Entities and the ports to keep them are in one file per noun, the use cases beside them. A use case
is made with its ports, acts for an `Actor`, refuses with a `Fault` of the catalogue, and runs in
units of work.
"""

from internal.user.biz.actor import Actor
from internal.user.biz.avatar import AvatarUsecase, Picture, Pictures
from internal.user.biz.challenge import CaptchaUsecase, Challenge, Challenges
from internal.user.biz.dictionary import DictInfo, Dictionary, DictionaryUsecase
from internal.user.biz.login import Credentials, LoginUsecase, SignedIn
from internal.user.biz.menu import Menu, role_ids_of
from internal.user.biz.menu_tree import MenuNode
from internal.user.biz.menus import MenuUsecase
from internal.user.biz.page import Page, PageOf
from internal.user.biz.perf import PerfRecord
from internal.user.biz.policies import Enforcer, PolicyUsecase
from internal.user.biz.policy import Policy, PolicyChanged, PolicyFilter
from internal.user.biz.probe import ProbeUsecase
from internal.user.biz.profile import ProfileChange, ProfileUsecase
from internal.user.biz.refresh_token import RefreshToken
from internal.user.biz.register import NewAccount, RegisterUsecase
from internal.user.biz.role import Role
from internal.user.biz.roles import RoleUsecase
from internal.user.biz.security import (
    Captcha,
    PasswordHasher,
    SessionRevoker,
    Throttle,
    TokenIssuer,
    TokenSource,
)
from internal.user.biz.seed import Seeded, SeedOperation, SeedUsecase
from internal.user.biz.session import Identity, SessionUsecase, TokenVerifier
from internal.user.biz.session_issuer import SessionIssuer, TokenPair
from internal.user.biz.setting import Setting
from internal.user.biz.settings import SettingUsecase
from internal.user.biz.unit_of_work import Dangling, Taken, Transactions, UnitOfWork
from internal.user.biz.user import User, UserFilter, UserState
from internal.user.biz.users import UserUsecase

__all__ = [
    "Actor",
    "AvatarUsecase",
    "Captcha",
    "CaptchaUsecase",
    "Challenge",
    "Challenges",
    "Credentials",
    "Dangling",
    "DictInfo",
    "Dictionary",
    "DictionaryUsecase",
    "Enforcer",
    "Identity",
    "LoginUsecase",
    "Menu",
    "MenuNode",
    "MenuUsecase",
    "NewAccount",
    "Page",
    "PageOf",
    "PasswordHasher",
    "PerfRecord",
    "Picture",
    "Pictures",
    "Policy",
    "PolicyChanged",
    "PolicyFilter",
    "PolicyUsecase",
    "ProbeUsecase",
    "ProfileChange",
    "ProfileUsecase",
    "RefreshToken",
    "RegisterUsecase",
    "Role",
    "RoleUsecase",
    "SeedOperation",
    "SeedUsecase",
    "Seeded",
    "SessionIssuer",
    "SessionRevoker",
    "SessionUsecase",
    "Setting",
    "SettingUsecase",
    "SignedIn",
    "Taken",
    "Throttle",
    "TokenIssuer",
    "TokenPair",
    "TokenSource",
    "TokenVerifier",
    "Transactions",
    "UnitOfWork",
    "User",
    "UserFilter",
    "UserState",
    "UserUsecase",
    "role_ids_of",
]

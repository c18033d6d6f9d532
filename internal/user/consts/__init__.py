"""Names and limits that the layers of the user service agree on."""

from typing import Final

ROLE_ADMIN: Final = "admin"
"""Holds a policy for every operation. There is always an active user with it."""
ROLE_USER: Final = "user"
"""What a registered user has."""
ROLE_SERVICE: Final = "service"
"""What the tokens of other services carry."""
BUILT_IN_ROLES: Final = frozenset({ROLE_ADMIN, ROLE_USER, ROLE_SERVICE})

MAX_ROLES: Final = 500
MAX_ROLE_DEPTH: Final = 8
"""Roles in a line of inheritance, the role itself included."""
MAX_MENUS: Final = 2000
MAX_MENU_DEPTH: Final = 16

PAGE_SIZE: Final = 20
"""Where the caller names none."""
MAX_PAGE_SIZE: Final = 200
MAX_PAGE: Final = 1_000_000
MAX_BATCH: Final = 200
"""Users that one call reads or changes."""

__all__ = [
    "BUILT_IN_ROLES",
    "MAX_BATCH",
    "MAX_MENUS",
    "MAX_MENU_DEPTH",
    "MAX_PAGE",
    "MAX_PAGE_SIZE",
    "MAX_ROLES",
    "MAX_ROLE_DEPTH",
    "PAGE_SIZE",
    "ROLE_ADMIN",
    "ROLE_SERVICE",
    "ROLE_USER",
]

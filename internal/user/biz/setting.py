"""How the web console looks for one user."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Setting:
    """One user's layout; the defaults are what a new user sees. `id` is 0 until it is stored."""

    uid: str
    lang: str = "zh"
    side_mode_color: str = "#191a23"
    collapse: bool = False
    breadcrumb: bool = True
    default_router: str = "dashboard"
    active_text_color: str = "#ffffff"
    active_background_color: str = "#1890ff"
    id: int = 0

    def __post_init__(self) -> None:
        """Refuse a setting of nobody.

        Raises:
            ValueError: the uid is empty.
        """
        if not self.uid:
            raise ValueError("a setting needs a uid")


class SettingRepository(Protocol):
    """Settings, one for each user at most."""

    async def get(self, uid: str) -> Setting | None:
        """The user's setting."""
        ...

    async def add(self, setting: Setting) -> Setting:
        """Store a new setting; returns it with its id.

        Raises:
            Taken: the user has one.
            Dangling: there is no such user.
        """
        ...

    async def save(self, setting: Setting) -> bool:
        """Change the user's setting; False where there is none."""
        ...

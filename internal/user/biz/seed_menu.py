"""The menu that the first start makes, for the web console."""

from __future__ import annotations

from typing import Final

from internal.user.biz.menu import Menu
from internal.user.consts import ROLE_ADMIN, ROLE_USER

_ALL: Final = (ROLE_ADMIN, ROLE_USER)
_ADMIN: Final = (ROLE_ADMIN,)


def _entry(
    sort: int, name: str, title: str, icon: str, roles: tuple[str, ...], *, hidden: bool = False
) -> Menu:
    return Menu(
        path=name,
        name=name,
        component=f"views/{name}/index.vue",
        role_ids=roles,
        title=title,
        icon=icon,
        hidden=hidden,
        keep_alive=True,
        sort=sort,
    )


LAYOUT: Final = Menu(
    path="/layout",
    name="layout",
    component="views/layout/index.vue",
    redirect="/layout/dashboard",
    role_ids=_ALL,
    title="控制台",
    icon="home",
    sort=1,
)

LAYOUT_ENTRIES: Final = (
    _entry(1, "dashboard", "首页", "dashboard", _ALL),
    _entry(2, "users", "用户管理", "user", _ADMIN),
    _entry(3, "roles", "角色管理", "team", _ADMIN),
    _entry(4, "menus", "菜单管理", "menu", _ADMIN),
    _entry(5, "policies", "权限管理", "lock", _ADMIN),
    _entry(6, "dictionary", "字典", "book", _ALL),
    _entry(7, "profile", "个人信息", "idcard", _ALL, hidden=True),
    _entry(8, "setting", "布局设置", "setting", _ALL, hidden=True),
)

CATCH_ALL: Final = Menu(
    path="/:pathMatch(.*)*",
    name="notFound",
    component="views/error/404.vue",
    role_ids=_ALL,
    title="404",
    hidden=True,
    sort=999,
)

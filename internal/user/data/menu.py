"""The menu in the database."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, insert, select, update

from internal.user.biz import Menu
from internal.user.consts import MAX_MENUS
from internal.user.data.models import MenuRow, PolicyVersionRow, RoleMenuRow
from internal.user.data.repository import Repository

if TYPE_CHECKING:
    from collections.abc import Sequence


class SqlMenuRepository(Repository):
    """Implements `MenuRepository`."""

    async def get(self, menu_id: int) -> Menu | None:
        row = await self._row(select(MenuRow).where(MenuRow.id == menu_id))
        return None if row is None else (await self._entities([row]))[0]

    async def all(self) -> tuple[Menu, ...]:
        query = select(MenuRow).order_by(MenuRow.sort, MenuRow.id).limit(MAX_MENUS)
        return await self._entities(await self._rows(query))

    async def lock(self) -> None:
        # The one row that changes of policies lock serves here too: both are rare.
        await self._rows(select(PolicyVersionRow).with_for_update())

    async def add(self, menu: Menu) -> Menu:
        row = MenuRow(**_changeable(menu), **self._created())
        await self._insert(row)
        await self._show_to(row.id, menu.role_ids)
        return (await self._entities([row]))[0]

    async def save(self, menu: Menu) -> bool:
        statement = update(MenuRow).where(MenuRow.id == menu.id)
        if not await self._write(statement.values(**_changeable(menu), **self._changed())):
            return False
        await self._write(delete(RoleMenuRow).where(RoleMenuRow.menu_id == menu.id))
        await self._show_to(menu.id, menu.role_ids)
        return True

    async def remove(self, menu_id: int) -> bool:
        return await self._write(delete(MenuRow).where(MenuRow.id == menu_id)) > 0

    async def _show_to(self, menu_id: int, role_ids: Sequence[str]) -> None:
        if role_ids:
            rows = [{"menu_id": menu_id, "role_id": role_id} for role_id in role_ids]
            await self._write(insert(RoleMenuRow).values(rows))

    async def _entities(self, rows: Sequence[MenuRow]) -> tuple[Menu, ...]:
        query = select(RoleMenuRow.menu_id, RoleMenuRow.role_id)
        if len(rows) == 1:
            query = query.where(RoleMenuRow.menu_id == rows[0].id)
        role_ids: dict[int, list[str]] = defaultdict(list)
        for menu_id, role_id in await self._session.execute(query):
            role_ids[menu_id].append(role_id)
        return tuple(_entity(row, tuple(role_ids[row.id])) for row in rows)


def _entity(row: MenuRow, role_ids: tuple[str, ...]) -> Menu:
    return Menu(
        id=row.id,
        parent_id=row.parent_id or 0,
        path=row.path,
        name=row.name,
        component=row.component,
        redirect=row.redirect,
        role_ids=role_ids,
        title=row.title,
        icon=row.icon,
        hidden=row.hidden,
        keep_alive=row.keep_alive,
        sort=row.sort,
    )


def _changeable(menu: Menu) -> dict[str, Any]:
    return {
        "parent_id": menu.parent_id or None,
        "path": menu.path,
        "name": menu.name,
        "component": menu.component,
        "redirect": menu.redirect,
        "title": menu.title,
        "icon": menu.icon,
        "hidden": menu.hidden,
        "keep_alive": menu.keep_alive,
        "sort": menu.sort,
    }

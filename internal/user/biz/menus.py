"""Keeping the menu, and showing it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from internal.user import ecode
from internal.user.biz.lineage import lineage, misplaced
from internal.user.biz.menu_tree import MenuNode, build_tree, visible_to
from internal.user.biz.role import parents_of
from internal.user.biz.unit_of_work import Dangling, Transactions, UnitOfWork
from internal.user.consts import MAX_MENU_DEPTH, MAX_MENUS

if TYPE_CHECKING:
    from internal.user.biz.actor import Actor
    from internal.user.biz.menu import Menu

_NEW: Final = -1
"""Stands for the id of an entry that has none yet; 0 means "no parent"."""


class MenuUsecase:
    """Keeps the menu."""

    def __init__(self, *, transactions: Transactions) -> None:
        self._transactions = transactions

    async def tree(self) -> tuple[MenuNode, ...]:
        """The whole menu."""
        async with self._transactions.reading() as work:
            return build_tree(await work.menus.all())

    async def tree_for(self, actor: Actor) -> tuple[MenuNode, ...]:
        """What the actor's role sees: its own entries, those of the roles that it inherits from,
        and all that is above them.
        """
        async with self._transactions.reading() as work:
            parents = parents_of(await work.roles.all())
            menus = await work.menus.all()
        return build_tree(visible_to(menus, set(lineage(actor.role_id, parents))))

    async def add(self, actor: Actor, menu: Menu) -> Menu:
        """Add an entry; returns it with its id.

        Raises:
            Fault: MENU_ADD_FAILED, where its parent or a role is unknown, it would lie too deep,
                or the entries are too many.
        """
        try:
            async with self._transactions.writing(by=actor.uid) as work:
                await work.menus.lock()
                menus = await work.menus.all()
                if len(menus) >= MAX_MENUS:
                    raise ecode.menu_add_failed("there are too many entries already")
                why = await self._objection(work, menu, menus)
                if why:
                    raise ecode.menu_add_failed(why)
                return await work.menus.add(menu)
        except Dangling as error:
            raise ecode.menu_add_failed("its parent or a role is gone") from error

    async def update(self, actor: Actor, menu: Menu) -> None:
        """Change an entry.

        Raises:
            Fault: MENU_QUERY_FAILED, or MENU_UPDATE_FAILED where its parent or a role is unknown,
                or it would lie too deep or below itself.
        """
        try:
            async with self._transactions.writing(by=actor.uid) as work:
                await work.menus.lock()
                menus = await work.menus.all()
                if all(menu.id != known.id for known in menus):
                    raise ecode.menu_query_failed()
                why = await self._objection(work, menu, menus)
                if why:
                    raise ecode.menu_update_failed(why)
                await work.menus.save(menu)
        except Dangling as error:
            raise ecode.menu_update_failed("its parent or a role is gone") from error

    async def delete(self, actor: Actor, menu_id: int) -> None:
        """Delete an entry.

        Raises:
            Fault: MENU_QUERY_FAILED, or MENU_DELETE_FAILED where it has children.
        """
        try:
            async with self._transactions.writing(by=actor.uid) as work:
                if not await work.menus.remove(menu_id):
                    raise ecode.menu_query_failed()
        except Dangling as error:
            raise ecode.menu_delete_failed("it has children") from error

    async def _objection(self, work: UnitOfWork, menu: Menu, menus: tuple[Menu, ...]) -> str:
        """Why the entry cannot be as it is; empty where it can."""
        if await work.roles.known(menu.role_ids) != set(menu.role_ids):
            return "no such role"
        if not menu.parent_id:
            return ""
        parents = {known.id: known.parent_id for known in menus}
        return misplaced(menu.id or _NEW, menu.parent_id, parents, MAX_MENU_DEPTH)

"""The routes of the web console."""

from __future__ import annotations

from typing import TYPE_CHECKING

from api.user.http.v1 import (
    AddMenuReply,
    DeleteMenuReply,
    Menu,
    MenuMeta,
    MenuTree,
    UpdateMenuReply,
)
from internal.user import biz
from internal.user.service.convert import actor

if TYPE_CHECKING:
    from collections.abc import Iterable

    from api.user.http.v1 import (
        AddMenuRequest,
        DeleteMenuRequest,
        ListAllMenusRequest,
        ListRoleMenusRequest,
        UpdateMenuRequest,
    )
    from pkg.rpc import Call


class MenuService:
    """Implements user.http.v1.MenuService."""

    def __init__(self, *, menus: biz.MenuUsecase) -> None:
        self._menus = menus

    async def list_all_menus(self, request: ListAllMenusRequest, call: Call, /) -> MenuTree:
        return MenuTree(items=_nodes(await self._menus.tree()))

    async def list_role_menus(self, request: ListRoleMenusRequest, call: Call, /) -> MenuTree:
        return MenuTree(items=_nodes(await self._menus.tree_for(actor(call))))

    async def add_menu(self, request: AddMenuRequest, call: Call, /) -> AddMenuReply:
        await self._menus.add(actor(call), _menu(request))
        return AddMenuReply()

    async def update_menu(self, request: UpdateMenuRequest, call: Call, /) -> UpdateMenuReply:
        await self._menus.update(actor(call), _menu(request, request.id))
        return UpdateMenuReply()

    async def delete_menu(self, request: DeleteMenuRequest, call: Call, /) -> DeleteMenuReply:
        await self._menus.delete(actor(call), request.id)
        return DeleteMenuReply()


def _menu(request: AddMenuRequest | UpdateMenuRequest, menu_id: int = 0) -> biz.Menu:
    return biz.Menu(
        id=menu_id,
        path=request.path,
        name=request.name,
        component=request.component,
        redirect=request.redirect,
        parent_id=request.parent_id,
        role_ids=biz.role_ids_of(request.role_ids),
        title=request.title,
        icon=request.icon,
        hidden=request.hidden,
        keep_alive=request.keep_alive,
        sort=request.sort,
    )


def _nodes(nodes: Iterable[biz.MenuNode]) -> list[Menu]:
    return [
        Menu(
            path=node.menu.path,
            name=node.menu.name,
            component=node.menu.component,
            redirect=node.menu.redirect,
            meta=MenuMeta(
                id=node.menu.id,
                parent_id=node.menu.parent_id,
                role_ids=",".join(node.menu.role_ids),
                title=node.menu.title,
                icon=node.menu.icon,
                hidden=node.menu.hidden,
                keep_alive=node.menu.keep_alive,
                sort=node.menu.sort,
            ),
            children=_nodes(node.children),
        )
        for node in nodes
    ]

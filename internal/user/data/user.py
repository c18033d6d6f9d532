"""Users in the database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, exists, func, select, update

from internal.user.biz import User, UserFilter, UserState
from internal.user.biz.user import name_key
from internal.user.consts import MAX_BATCH
from internal.user.data.models import RoleRow, UserRow
from internal.user.data.repository import Repository

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import Select

    from internal.user.biz import Page


class SqlUserRepository(Repository):
    """Implements `UserRepository`."""

    async def get(self, uid: str, *, lock: bool = False) -> User | None:
        query = select(UserRow).where(UserRow.uid == _not_empty(uid))
        row = await self._row(query.with_for_update() if lock else query)
        return await self._entity(row)

    async def by_name(self, user_name: str) -> User | None:
        key = name_key(_not_empty(user_name))
        row = await self._row(select(UserRow).where(UserRow.username_key == key))
        if row is not None and row.username_key != key:  # MySQL: "admin" = "admin "
            return None
        return await self._entity(row)

    async def batch(self, uids: Sequence[str], *, lock: bool = False) -> tuple[User, ...]:
        if len(uids) > MAX_BATCH:
            raise ValueError(f"{len(uids)} users are more than {MAX_BATCH}")
        query = select(UserRow).where(UserRow.uid.in_(uids)).order_by(UserRow.id)
        return await self._entities(await self._rows(query.with_for_update() if lock else query))

    async def list(self, wanted: UserFilter, page: Page) -> tuple[tuple[User, ...], int]:
        conditions = _conditions(wanted)
        total = await self._session.scalar(
            select(func.count()).select_from(UserRow).where(*conditions)
        )
        rows = await self._rows(_page(select(UserRow).where(*conditions), page))
        return await self._entities(rows), total or 0

    async def any(self) -> bool:
        return bool(await self._session.scalar(select(exists(select(UserRow.id)))))

    async def count(self, role_id: str, *, state: UserState | None = None) -> int:
        query = select(func.count()).select_from(UserRow).where(UserRow.role_id == role_id)
        if state is not None:
            query = query.where(UserRow.state == state)
        return await self._session.scalar(query) or 0

    async def add(self, user: User) -> User:
        row = UserRow(
            uid=user.uid,
            username=user.user_name,
            username_key=name_key(user.user_name),
            **_changeable(user),
            **self._created(),
        )
        await self._insert(row)
        return (await self._entities([row]))[0]

    async def save(self, user: User) -> bool:
        statement = update(UserRow).where(UserRow.uid == _not_empty(user.uid))
        return await self._write(statement.values(**_changeable(user), **self._changed())) > 0

    async def _entity(self, row: UserRow | None) -> User | None:
        return None if row is None else (await self._entities([row]))[0]

    async def _entities(self, rows: Iterable[UserRow]) -> tuple[User, ...]:
        """With the names of their roles: few, and often the same."""
        found = tuple(rows)
        role_ids = {row.role_id for row in found}
        query = select(RoleRow.role_id, RoleRow.role_name).where(RoleRow.role_id.in_(role_ids))
        names = dict(iter(await self._session.execute(query))) if role_ids else {}
        return tuple(_entity(row, names[row.role_id]) for row in found)


def _not_empty(key: str) -> str:
    if not key:
        raise ValueError("an empty key would mean any user")
    return key


def _page(query: Select[UserRow], page: Page) -> Select[UserRow]:
    return query.order_by(UserRow.id).limit(page.size).offset(page.offset)


def _conditions(wanted: UserFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    for column, part in (
        (UserRow.username, wanted.user_name),
        (UserRow.nickname, wanted.nick_name),
        (UserRow.phone, wanted.phone),
    ):
        if part:
            conditions.append(column.icontains(part, autoescape=True))
    if wanted.role_id:
        conditions.append(UserRow.role_id == wanted.role_id)
    if wanted.state is not None:
        conditions.append(UserRow.state == wanted.state)
    return conditions


def _entity(row: UserRow, role_name: str) -> User:
    return User(
        id=row.id,
        uid=row.uid,
        user_name=row.username,
        password=row.password,
        role_id=row.role_id,
        role_name=role_name,
        state=UserState(row.state),
        nick_name=row.nickname,
        birth=row.birth,
        avatar=row.avatar,
        phone=row.phone,
        wechat=row.wechat,
        email=row.email,
        motto=row.motto,
        token_version=row.token_version,
    )


def _changeable(user: User) -> dict[str, Any]:
    return {
        "password": user.password,
        "role_id": user.role_id,
        "state": int(user.state),
        "nickname": user.nick_name,
        "birth": user.birth,
        "avatar": user.avatar,
        "phone": user.phone,
        "wechat": user.wechat,
        "email": user.email,
        "motto": user.motto,
        "token_version": user.token_version,
    }

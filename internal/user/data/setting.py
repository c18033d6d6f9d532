"""Settings in the database."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sqlalchemy import select, update

from internal.user.biz import Setting
from internal.user.data.models import SettingRow
from internal.user.data.repository import Repository


class SqlSettingRepository(Repository):
    """Implements `SettingRepository`."""

    async def get(self, uid: str) -> Setting | None:
        row = await self._row(select(SettingRow).where(SettingRow.uid == uid))
        return None if row is None else _entity(row)

    async def add(self, setting: Setting) -> Setting:
        row = SettingRow(uid=setting.uid, **_changeable(setting), **self._created())
        await self._insert(row)
        return replace(setting, id=row.id)

    async def save(self, setting: Setting) -> bool:
        statement = update(SettingRow).where(SettingRow.uid == setting.uid)
        return await self._write(statement.values(**_changeable(setting), **self._changed())) > 0


def _entity(row: SettingRow) -> Setting:
    return Setting(
        id=row.id,
        uid=row.uid,
        lang=row.lang,
        side_mode_color=row.side_mode_color,
        collapse=row.collapse,
        breadcrumb=row.breadcrumb,
        default_router=row.default_router,
        active_text_color=row.active_text_color,
        active_background_color=row.active_background_color,
    )


def _changeable(setting: Setting) -> dict[str, Any]:
    return {
        "lang": setting.lang,
        "side_mode_color": setting.side_mode_color,
        "collapse": setting.collapse,
        "breadcrumb": setting.breadcrumb,
        "default_router": setting.default_router,
        "active_text_color": setting.active_text_color,
        "active_background_color": setting.active_background_color,
    }

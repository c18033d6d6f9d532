"""The tables of the user service.

Every table tells when a row was made and last changed, and by whom. Nothing but users is deleted
softly (`user.state`): a rule that is deleted is gone. Texts are never null; MySQL compares them
byte by byte, as the others do.
"""

# Annotations are evaluated here, and not as texts by SQLAlchemy: a third less time to import.
from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, Date, ForeignKey, Index, MetaData, String, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from pkg.database import BIG_ID, UtcDateTime

OPTIONS = {
    "sqlite_autoincrement": True,  # no id is used a second time
    "mysql_engine": "InnoDB",
    "mysql_charset": "utf8mb4",
    "mysql_collate": "utf8mb4_bin",
}


class Base(DeclarativeBase):
    """What every table has."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        }
    )
    __table_args__: Any = OPTIONS


class Audited:
    """Who wrote a row, and when."""

    create_at: Mapped[datetime] = mapped_column(UtcDateTime)
    update_at: Mapped[datetime] = mapped_column(UtcDateTime)
    create_user: Mapped[str] = mapped_column(String(64))
    update_user: Mapped[str] = mapped_column(String(64))


class RoleRow(Audited, Base):
    """Roles; who inherits from whom is here and nowhere else."""

    __tablename__ = "role"

    id: Mapped[int] = mapped_column(BIG_ID, primary_key=True)
    role_id: Mapped[str] = mapped_column(String(32), unique=True)
    role_name: Mapped[str] = mapped_column(String(64))
    parent_id: Mapped[str | None] = mapped_column(
        String(32), ForeignKey("role.role_id"), index=True
    )
    description: Mapped[str] = mapped_column(String(191))


class UserRow(Audited, Base):
    """Users."""

    __tablename__ = "user"

    id: Mapped[int] = mapped_column(BIG_ID, primary_key=True)
    uid: Mapped[str] = mapped_column(String(64), unique=True)
    username: Mapped[str] = mapped_column(String(64))
    username_key: Mapped[str] = mapped_column(String(64), unique=True)
    """The name in the form that makes it unique."""
    password: Mapped[str] = mapped_column(String(255))
    nickname: Mapped[str] = mapped_column(String(64))
    motto: Mapped[str] = mapped_column(String(191))
    birth: Mapped[date] = mapped_column(Date)
    avatar: Mapped[str] = mapped_column(String(191))
    role_id: Mapped[str] = mapped_column(String(32), ForeignKey("role.role_id"))
    phone: Mapped[str] = mapped_column(String(32))
    wechat: Mapped[str] = mapped_column(String(64))
    email: Mapped[str] = mapped_column(String(254))
    state: Mapped[int]
    token_version: Mapped[int] = mapped_column(BigInteger)

    __table_args__ = (Index(None, "role_id", "state"), OPTIONS)


class MenuRow(Audited, Base):
    """Entries of the menu."""

    __tablename__ = "menu"

    id: Mapped[int] = mapped_column(BIG_ID, primary_key=True)
    parent_id: Mapped[int | None] = mapped_column(BIG_ID, ForeignKey("menu.id"), index=True)
    path: Mapped[str] = mapped_column(String(191))
    name: Mapped[str] = mapped_column(String(64))
    component: Mapped[str] = mapped_column(String(191))
    redirect: Mapped[str] = mapped_column(String(191))
    title: Mapped[str] = mapped_column(String(64))
    icon: Mapped[str] = mapped_column(String(64))
    hidden: Mapped[bool]
    keep_alive: Mapped[bool]
    sort: Mapped[int]


class RoleMenuRow(Base):
    """Which role sees which entry."""

    __tablename__ = "role_menu"

    menu_id: Mapped[int] = mapped_column(
        BIG_ID, ForeignKey("menu.id", ondelete="CASCADE"), primary_key=True
    )
    role_id: Mapped[str] = mapped_column(
        String(32), ForeignKey("role.role_id", ondelete="CASCADE"), primary_key=True, index=True
    )


class CasbinRuleRow(Audited, Base):
    """Policies: ptype `p`, v0 the role, v1 the path, v2 the method. Deleted for good."""

    __tablename__ = "casbin_rule"

    id: Mapped[int] = mapped_column(BIG_ID, primary_key=True)
    ptype: Mapped[str] = mapped_column(String(8))
    v0: Mapped[str] = mapped_column(String(64))
    v1: Mapped[str] = mapped_column(String(191))
    v2: Mapped[str] = mapped_column(String(32))
    v3: Mapped[str] = mapped_column(String(32))
    v4: Mapped[str] = mapped_column(String(32))
    v5: Mapped[str] = mapped_column(String(32))
    description: Mapped[str] = mapped_column(String(191))

    __table_args__ = (
        UniqueConstraint("ptype", "v0", "v1", "v2", "v3", "v4", "v5", name="uq_casbin_rule_rule"),
        OPTIONS,
    )


class PolicyVersionRow(Base):
    """One row that counts the changes of policies and roles."""

    __tablename__ = "policy_version"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    version: Mapped[int] = mapped_column(BigInteger)


class SeededOperationRow(Base):
    """Operations whose policies were made once; an administrator may have deleted them since."""

    __tablename__ = "seeded_operation"

    name: Mapped[str] = mapped_column(String(191), primary_key=True)
    create_at: Mapped[datetime] = mapped_column(UtcDateTime)


class SettingRow(Audited, Base):
    """Layouts, one for each user at most."""

    __tablename__ = "setting"

    id: Mapped[int] = mapped_column(BIG_ID, primary_key=True)
    uid: Mapped[str] = mapped_column(String(64), ForeignKey("user.uid"), unique=True)
    lang: Mapped[str] = mapped_column(String(16))
    side_mode_color: Mapped[str] = mapped_column(String(32))
    collapse: Mapped[bool]
    breadcrumb: Mapped[bool]
    default_router: Mapped[str] = mapped_column(String(64))
    active_text_color: Mapped[str] = mapped_column(String(32))
    active_background_color: Mapped[str] = mapped_column(String(32))


class DebugPerfRow(Audited, Base):
    """Rows of the probe."""

    __tablename__ = "debug_perf"

    id: Mapped[int] = mapped_column(BIG_ID, primary_key=True)
    uid: Mapped[str] = mapped_column(String(64), index=True)
    username: Mapped[str] = mapped_column(String(64))
    motto: Mapped[str] = mapped_column(String(191))
    text: Mapped[str] = mapped_column(String(191))


class RefreshTokenRow(Audited, Base):
    """Refresh tokens, by the hash of what the client holds."""

    __tablename__ = "refresh_token"

    id: Mapped[int] = mapped_column(BIG_ID, primary_key=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    family: Mapped[str] = mapped_column(String(64), index=True)
    uid: Mapped[str] = mapped_column(String(64), ForeignKey("user.uid"), index=True)
    issued_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

"""The first schema: users, roles, policies, menus, settings, sessions and the probe."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from pkg.database import BIG_ID, UtcDateTime

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

OPTIONS: dict[str, Any] = {
    "sqlite_autoincrement": True,
    "mysql_engine": "InnoDB",
    "mysql_charset": "utf8mb4",
    "mysql_collate": "utf8mb4_bin",
}
TABLES = (
    "role",
    "user",
    "menu",
    "role_menu",
    "casbin_rule",
    "policy_version",
    "seeded_operation",
    "setting",
    "debug_perf",
    "refresh_token",
)
"""Each after those that it refers to."""


def upgrade() -> None:
    """Make every table, and the row that counts the changes of policies."""
    op.create_table(
        "role",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("role_id", sa.String(length=32), nullable=False),
        sa.Column("role_name", sa.String(length=64), nullable=False),
        sa.Column("parent_id", sa.String(length=32), nullable=True),
        sa.Column("description", sa.String(length=191), nullable=False),
        *_audit(),
        sa.ForeignKeyConstraint(["parent_id"], ["role.role_id"], name=op.f("fk_role_parent_id")),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("role_id", name=op.f("uq_role_role_id")),
        **OPTIONS,
    )
    op.create_index(op.f("ix_role_parent_id"), "role", ["parent_id"])
    op.create_table(
        "user",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("uid", sa.String(length=64), nullable=False),
        sa.Column("username", sa.String(length=64), nullable=False),
        sa.Column("username_key", sa.String(length=64), nullable=False),
        sa.Column("password", sa.String(length=255), nullable=False),
        sa.Column("nickname", sa.String(length=64), nullable=False),
        sa.Column("motto", sa.String(length=191), nullable=False),
        sa.Column("birth", sa.Date(), nullable=False),
        sa.Column("avatar", sa.String(length=191), nullable=False),
        sa.Column("role_id", sa.String(length=32), nullable=False),
        sa.Column("phone", sa.String(length=32), nullable=False),
        sa.Column("wechat", sa.String(length=64), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("state", sa.Integer(), nullable=False),
        sa.Column("token_version", sa.BigInteger(), nullable=False),
        *_audit(),
        sa.ForeignKeyConstraint(["role_id"], ["role.role_id"], name=op.f("fk_user_role_id")),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("uid", name=op.f("uq_user_uid")),
        sa.UniqueConstraint("username_key", name=op.f("uq_user_username_key")),
        **OPTIONS,
    )
    op.create_index(op.f("ix_user_role_id_state"), "user", ["role_id", "state"])
    op.create_table(
        "menu",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("parent_id", BIG_ID, nullable=True),
        sa.Column("path", sa.String(length=191), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("component", sa.String(length=191), nullable=False),
        sa.Column("redirect", sa.String(length=191), nullable=False),
        sa.Column("title", sa.String(length=64), nullable=False),
        sa.Column("icon", sa.String(length=64), nullable=False),
        sa.Column("hidden", sa.Boolean(), nullable=False),
        sa.Column("keep_alive", sa.Boolean(), nullable=False),
        sa.Column("sort", sa.Integer(), nullable=False),
        *_audit(),
        sa.ForeignKeyConstraint(["parent_id"], ["menu.id"], name=op.f("fk_menu_parent_id")),
        sa.PrimaryKeyConstraint("id"),
        **OPTIONS,
    )
    op.create_index(op.f("ix_menu_parent_id"), "menu", ["parent_id"])
    op.create_table(
        "role_menu",
        sa.Column("menu_id", BIG_ID, nullable=False),
        sa.Column("role_id", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["menu_id"], ["menu.id"], name=op.f("fk_role_menu_menu_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["role_id"], ["role.role_id"], name=op.f("fk_role_menu_role_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("menu_id", "role_id"),
        **OPTIONS,
    )
    op.create_index(op.f("ix_role_menu_role_id"), "role_menu", ["role_id"])
    op.create_table(
        "casbin_rule",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("ptype", sa.String(length=8), nullable=False),
        sa.Column("v0", sa.String(length=64), nullable=False),
        sa.Column("v1", sa.String(length=191), nullable=False),
        sa.Column("v2", sa.String(length=32), nullable=False),
        sa.Column("v3", sa.String(length=32), nullable=False),
        sa.Column("v4", sa.String(length=32), nullable=False),
        sa.Column("v5", sa.String(length=32), nullable=False),
        sa.Column("description", sa.String(length=191), nullable=False),
        *_audit(),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint(
            "ptype", "v0", "v1", "v2", "v3", "v4", "v5", name="uq_casbin_rule_rule"
        ),
        **OPTIONS,
    )
    op.create_table(
        "policy_version",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        **OPTIONS,
    )
    op.create_table(
        "seeded_operation",
        sa.Column("name", sa.String(length=191), nullable=False),
        sa.Column("create_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
        **OPTIONS,
    )
    op.create_table(
        "setting",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("uid", sa.String(length=64), nullable=False),
        sa.Column("lang", sa.String(length=16), nullable=False),
        sa.Column("side_mode_color", sa.String(length=32), nullable=False),
        sa.Column("collapse", sa.Boolean(), nullable=False),
        sa.Column("breadcrumb", sa.Boolean(), nullable=False),
        sa.Column("default_router", sa.String(length=64), nullable=False),
        sa.Column("active_text_color", sa.String(length=32), nullable=False),
        sa.Column("active_background_color", sa.String(length=32), nullable=False),
        *_audit(),
        sa.ForeignKeyConstraint(["uid"], ["user.uid"], name=op.f("fk_setting_uid")),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("uid", name=op.f("uq_setting_uid")),
        **OPTIONS,
    )
    op.create_table(
        "debug_perf",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("uid", sa.String(length=64), nullable=False),
        sa.Column("username", sa.String(length=64), nullable=False),
        sa.Column("motto", sa.String(length=191), nullable=False),
        sa.Column("text", sa.String(length=191), nullable=False),
        *_audit(),
        sa.PrimaryKeyConstraint("id"),
        **OPTIONS,
    )
    op.create_index(op.f("ix_debug_perf_uid"), "debug_perf", ["uid"])
    op.create_table(
        "refresh_token",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("family", sa.String(length=64), nullable=False),
        sa.Column("uid", sa.String(length=64), nullable=False),
        sa.Column("issued_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("used_at", UtcDateTime(), nullable=True),
        sa.Column("revoked_at", UtcDateTime(), nullable=True),
        *_audit(),
        sa.ForeignKeyConstraint(["uid"], ["user.uid"], name=op.f("fk_refresh_token_uid")),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("token_hash", name=op.f("uq_refresh_token_token_hash")),
        **OPTIONS,
    )
    op.create_index(op.f("ix_refresh_token_expires_at"), "refresh_token", ["expires_at"])
    op.create_index(op.f("ix_refresh_token_family"), "refresh_token", ["family"])
    op.create_index(op.f("ix_refresh_token_uid"), "refresh_token", ["uid"])
    op.execute("INSERT INTO policy_version (id, version) VALUES (1, 0)")


def downgrade() -> None:
    """Drop every table."""
    for table in reversed(TABLES):
        op.drop_table(table)


def _audit() -> tuple[sa.Column[Any], ...]:
    return (
        sa.Column("create_at", UtcDateTime(), nullable=False),
        sa.Column("update_at", UtcDateTime(), nullable=False),
        sa.Column("create_user", sa.String(length=64), nullable=False),
        sa.Column("update_user", sa.String(length=64), nullable=False),
    )

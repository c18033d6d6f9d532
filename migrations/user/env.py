"""Alembic's entry to the user service's migrations."""

from internal.user.data.models import Base
from pkg.database.alembic_env import run

run(Base.metadata)

"""The user service's schema, from nothing to now.

`versions/<number>_<what>.py`, counting up from 0001; a released one is never changed. They hold on
SQLite, MySQL and PostgreSQL: column types that need care come from `pkg.database`, changes of a
table go through `op.batch_alter_table`.

A new one, compared with the models, from the repository's root:

    alembic -c migrations/user/alembic.ini -x url=sqlite:///migrated.db upgrade head
    alembic -c migrations/user/alembic.ini -x url=sqlite:///migrated.db revision \\
        --autogenerate --rev-id 0002 -m what_changes
"""

from pathlib import Path

LOCATION = Path(__file__).parent
"""What `pkg.database.migrate` takes."""

__all__ = ["LOCATION"]

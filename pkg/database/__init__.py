"""SQL databases: SQLite by default, MySQL, MariaDB and PostgreSQL by URL.

A `Database` belongs to one event loop and gives transactions; `migrate` brings the schema to where
the code needs it. What a service keeps in which table is the service's own affair.
"""

from pkg.database.columns import BIG_ID, UtcDateTime
from pkg.database.database import Database
from pkg.database.errors import Constraint, broken_constraint, translate
from pkg.database.migrate import MigrationError, downgrade, migrate
from pkg.database.revisions import revisions
from pkg.database.settings import DatabaseSettings
from pkg.database.transaction import Transaction
from pkg.database.url import resolve_url, shown

__all__ = [
    "BIG_ID",
    "Constraint",
    "Database",
    "DatabaseSettings",
    "MigrationError",
    "Transaction",
    "UtcDateTime",
    "broken_constraint",
    "downgrade",
    "migrate",
    "resolve_url",
    "revisions",
    "shown",
    "translate",
]

"""Messages in the same transaction as the data, and handled once.

`Outbox` keeps a message with the data, `Relay` sends it, `Inbox` tells a handler whether it had
the message before.
"""

from pkg.outbox.inbox import Inbox
from pkg.outbox.metrics import RelayMetrics
from pkg.outbox.outbox import Outbox
from pkg.outbox.relay import Relay
from pkg.outbox.settings import OutboxSettings
from pkg.outbox.tables import create_tables, drop_tables, inbox_table, outbox_table

__all__ = [
    "Inbox",
    "Outbox",
    "OutboxSettings",
    "Relay",
    "RelayMetrics",
    "create_tables",
    "drop_tables",
    "inbox_table",
    "outbox_table",
]

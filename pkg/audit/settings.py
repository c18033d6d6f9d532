"""What a service says of its operation records."""
# The annotations below are read at run time, so they are not deferred.

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field

from pkg.backoff import BackoffSettings
from pkg.bus.settings import Name
from pkg.config import ByteSize, Duration, Settings

_NONE = timedelta()


class AuditSettings(Settings):
    """Records of calls. Which calls, and how much of them, their protos say."""

    sink: Literal["bus", "log"] = "bus"
    """Where records go."""
    topic: Name = "operationRecord"
    """Of the records on the bus."""
    max_body: ByteSize = Field(default=ByteSize.parse("16KiB"), ge=0, le=256 * 1024)
    """Of the request and of the reply, each, as JSON. Longer ones are cut, and the record says so.
    Two of them must fit into a message of the bus."""
    queue: Annotated[int, Field(ge=1, le=1_000_000)] = 10_000
    """Records that wait for the sink. Beyond, new ones are dropped, and counted."""
    queue_bytes: ByteSize = Field(default=ByteSize.parse("32MiB"), ge=1024)
    """The same in bytes, about."""
    batch: Annotated[int, Field(ge=1, le=10_000)] = 500
    """Records that are written together."""
    linger: Duration = Field(default=timedelta(milliseconds=50), ge=_NONE, le=timedelta(seconds=1))
    """How long a batch waits for more records."""
    keep: Duration = Field(default=timedelta(minutes=5), gt=_NONE)
    """How long a record is tried for while the sink takes none."""
    backoff: BackoffSettings = BackoffSettings()
    """Between two tries."""
    flush: Duration = Field(default=timedelta(seconds=3), gt=_NONE)
    """At the stop, for what waits; then it is dropped. Less than `lifecycle.stopTimeout`."""
    alert_every: Duration = Field(default=timedelta(minutes=5), gt=_NONE)
    """The shortest time between two alerts of dropped records."""

"""Operation records: who called what, from where, when, and how it ended.

The port is `AuditSink`; `pkg.audit.bus` has the one that writes to the bus. `Recorder` takes calls
from the middleware `audit` and hands them to a sink, without ever keeping a call waiting.
"""

from pkg.audit.log import LogSink
from pkg.audit.memory import MemorySink
from pkg.audit.metrics import AuditMetrics
from pkg.audit.record import Record
from pkg.audit.recorder import Recorder
from pkg.audit.settings import AuditSettings
from pkg.audit.sink import AuditSink, NotWrittenError
from pkg.audit.writer import RecordWriter

__all__ = [
    "AuditMetrics",
    "AuditSettings",
    "AuditSink",
    "LogSink",
    "MemorySink",
    "NotWrittenError",
    "Record",
    "RecordWriter",
    "Recorder",
]

"""Settings of a service: typed, merged from YAML, environment and flags, refused when in doubt.

`pkg.config.watcher` follows them while the process runs.
"""

from pkg.config.bytesize import ByteSize
from pkg.config.duration import Duration, format_duration, parse_duration
from pkg.config.errors import ConfigError, Problem
from pkg.config.loader import Loaded, Sources, load
from pkg.config.redact import Change, diff, redacted
from pkg.config.schema import json_schema, print_schema
from pkg.config.settings import Secret, Settings

__all__ = [
    "ByteSize",
    "Change",
    "ConfigError",
    "Duration",
    "Loaded",
    "Problem",
    "Secret",
    "Settings",
    "Sources",
    "diff",
    "format_duration",
    "json_schema",
    "load",
    "parse_duration",
    "print_schema",
    "redacted",
]

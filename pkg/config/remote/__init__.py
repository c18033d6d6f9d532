"""Configuration from elsewhere: a source says texts, which are merged over the file's."""

from pkg.config.remote.cache import RemoteCache
from pkg.config.remote.first import first_load, load_with_remote, remote_settings
from pkg.config.remote.following import Remote
from pkg.config.remote.memory import MemorySource
from pkg.config.remote.part import Part, Said
from pkg.config.remote.settings import RemoteSettings
from pkg.config.remote.source import RemoteError, RemoteSource, open_source

__all__ = [
    "MemorySource",
    "Part",
    "Remote",
    "RemoteCache",
    "RemoteError",
    "RemoteSettings",
    "RemoteSource",
    "Said",
    "first_load",
    "load_with_remote",
    "open_source",
    "remote_settings",
]

"""Where files are kept that people upload."""

from pkg.filestore.directory import DirectoryFileStore
from pkg.filestore.memory import MemoryFileStore
from pkg.filestore.store import FileStore, StoredFile, TooLargeError

__all__ = [
    "DirectoryFileStore",
    "FileStore",
    "MemoryFileStore",
    "StoredFile",
    "TooLargeError",
]

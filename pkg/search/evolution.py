"""What has to be done to an index for it to be what the code asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pkg.search.errors import MigrationError
from pkg.search.search import Change

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pkg.search.index import Index

    Definition = Mapping[str, Mapping[str, Any]]


def change(index: Index[Any], version: int, definition: Definition) -> Change:
    """What has to be done to an index of this version and with these fields.

    Fields that only the index has may stay: another process's code knows them.

    Raises:
        MigrationError: they differ in more than new fields, and the version is the same.
    """
    if version > index.version:
        return Change.NEWER
    if version < index.version:
        return Change.MIGRATED
    wanted = index.definition
    differing = [name for name in wanted if name in definition and wanted[name] != definition[name]]
    if differing:
        raise MigrationError(
            f"{index.name}: {', '.join(differing)} differ from those of the index: "
            f"only new fields are added in place, raise the version above {version}"
        )
    return Change.NONE if wanted.keys() <= definition.keys() else Change.EXTENDED


def extended(index: Index[Any], definition: Definition) -> dict[str, Mapping[str, Any]]:
    """The fields of an index together with those that the code asks for."""
    return {**definition, **index.definition}

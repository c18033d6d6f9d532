"""Which message classes a generated module names, and under which name each is at hand there."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from google.protobuf.descriptor import Descriptor

    from pkg.proto.python_names import PythonNames


class Imports:
    """Plain names where they are free; `package_module.Name` where two would be one."""

    def __init__(
        self,
        messages: Iterable[Descriptor],
        taken: set[str],
        naming: PythonNames,
        root: str,
    ) -> None:
        """`taken`: names that the module has for itself. `root`: package of all generated code."""
        homes: dict[str, dict[str, str]] = defaultdict(dict)  # Python name -> full name -> package
        for message in messages:
            homes[_class(message, naming)][message.full_name] = message.file.package
        self._names: dict[str, str] = {}
        plain: dict[str, list[str]] = defaultdict(list)
        modules: dict[str, str] = {}
        for name, found in homes.items():
            for full_name, package in found.items():
                module = f"{root}.{package}"
                if len(found) == 1 and name not in taken:
                    plain[module].append(name)
                    self._names[full_name] = name
                else:
                    modules[module] = package.replace(".", "_")
                    self._names[full_name] = f"{modules[module]}.{name}"
        self._plain, self._modules = plain, modules

    def name(self, message: Descriptor) -> str:
        """How the module calls the message's class."""
        return self._names[message.full_name]

    def lines(self) -> str:
        """The import statements."""
        whole = [f"import {module} as {alias}\n" for module, alias in sorted(self._modules.items())]
        parts = [_from(module, sorted(names)) for module, names in sorted(self._plain.items())]
        return "".join(whole + parts)


def _class(message: Descriptor, naming: PythonNames) -> str:
    prefix = f"{message.file.package}." if message.file.package else ""
    return naming.message(message.full_name.removeprefix(prefix))


def _from(module: str, names: list[str]) -> str:
    line = f"from {module} import {', '.join(names)}\n"
    if len(line) <= 100:
        return line
    return f"from {module} import (\n" + "".join(f"    {name},\n" for name in names) + ")\n"

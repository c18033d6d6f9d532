"""From files, a remote source, environment and flags to checked settings.

What comes later wins: model defaults, one YAML file (that of `--conf`, else the packaged one of the
environment), what a remote source said, variables of the process, flags. Everything wrong is
reported at once, with the place that said it; nothing unknown is ignored.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final, Generic, TypeVar

from pydantic import ValidationError

from pkg.config.document import parse
from pkg.config.errors import ConfigError, Problem
from pkg.config.override import Overrides, prefix
from pkg.config.refusal import explain
from pkg.config.settings import Settings
from pkg.config.shape import Shape, fold
from pkg.config.tree import Tree

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from importlib.resources.abc import Traversable

    from pkg.config.remote.part import Said

T = TypeVar("T", bound=Settings)

DEFAULT_ENV: Final = "dev"
_ENV_KEY: Final = "env"
REMOTE_KEY: Final = "remote"
"""The section that says where the remote source is."""
_SUFFIX: Final = ".yaml"
_NOT_REMOTE: Final = "what is remote cannot say where it is"


@dataclass(frozen=True, kw_only=True)
class Sources:
    """Where the settings of a service come from."""

    service: str
    """Its name; `user` reads variables that begin with `USER__`."""
    packaged: Traversable | None = None
    """A folder with one `<env>.yaml` per environment, used when there is no `conf`."""
    conf: Path | None = None
    """A file, or a folder like `packaged`."""
    remote: Said = ()
    """What a remote source said."""
    env: str | None = None
    """The environment; else the variable `USER__ENV` names it, else it is `dev`."""
    environ: Mapping[str, str] = field(default_factory=dict, repr=False)
    """The variables of the process."""
    sets: Sequence[str] = field(default=(), repr=False)
    """Assignments `a.b=c`."""


@dataclass(frozen=True)
class Loaded(Generic[T]):
    """Settings that passed every check, and how to read them again."""

    settings: T
    env: str
    origin: str
    """The YAML file and what is remote, for people; empty if there was neither."""
    files: tuple[Path, ...]
    """What was read from disk: change these and `reload` may give something else."""
    sources: Sources

    def reload(self) -> Loaded[T]:
        """Read the same sources again.

        Raises:
            ConfigError: what they say now is refused.
        """
        return load(type(self.settings), self.sources)


def load(model: type[T], sources: Sources) -> Loaded[T]:
    """Read, merge and check the settings of a service.

    Raises:
        ConfigError: something is unreadable, unknown or wrong; carries every problem found.
    """
    env = _environment(sources)
    file = _file(sources, env or DEFAULT_ENV)
    tree = Tree() if file is None else _read(file)
    shape = Shape.of(model)
    problems = _merge_remote(tree, shape, sources.remote)
    if _ENV_KEY in shape.names():
        if env is not None:
            tree.put(
                (_ENV_KEY,), env, "--env" if sources.env else f"environment {_variable(sources)}"
            )
        tree.data.setdefault(_ENV_KEY, DEFAULT_ENV)
    tree.fill_empty_sections(shape)
    overrides = Overrides(shape, tree)
    picker = _variable(sources)
    overrides.values(sources.remote)
    environ = {name: text for name, text in sources.environ.items() if name.upper() != picker}
    overrides.environment(environ, sources.service)
    overrides.flags(sources.sets)
    problems.extend(overrides.problems)
    try:
        settings = model.model_validate(tree.data, by_alias=True, by_name=False)
    except ValidationError as error:
        problems.extend(explain(error, shape, tree))
    if problems:
        raise ConfigError(problems)
    files = [file] if isinstance(file, Path) else []
    return Loaded(
        settings=settings,
        env=getattr(settings, _ENV_KEY, env or DEFAULT_ENV),
        origin=", ".join(
            [
                *([] if file is None else [str(file)]),
                *(part.place for part in sources.remote if not part.key),
            ]
        ),
        files=(*files, *overrides.files),
        sources=sources,
    )


def _variable(sources: Sources) -> str:
    return prefix(sources.service) + _ENV_KEY.upper()


def _environment(sources: Sources) -> str | None:
    """The environment that was asked for, if any was."""
    name = sources.env or sources.environ.get(_variable(sources)) or None
    if name is not None and not name.replace("-", "").replace("_", "").isalnum():
        raise ConfigError([Problem("--env", "", f"{name!r} is not the name of an environment")])
    return name


def _file(sources: Sources, env: str) -> Traversable | None:
    """The YAML file to read, if there is one to be read."""
    place: Traversable | None = sources.packaged if sources.conf is None else sources.conf
    if place is None or place.is_file():
        return place
    if not place.is_dir():
        raise ConfigError([Problem(str(place), "", "no such file or folder")])
    file = place.joinpath(env + _SUFFIX)
    if not file.is_file():
        known = sorted(
            entry.name.removesuffix(_SUFFIX)
            for entry in place.iterdir()
            if entry.name.endswith(_SUFFIX)
        )
        there = f"there are: {', '.join(known)}" if known else "there is none at all"
        raise ConfigError([Problem(str(place), "", f"no {env}{_SUFFIX} here, {there}")])
    return file


def _read(file: Traversable) -> Tree:
    source = str(file)
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "not a UTF-8 text"
        raise ConfigError([Problem(source, "", f"cannot be read: {why}")]) from None
    return _tree(text, source)


def _tree(text: str, source: str) -> Tree:
    document = parse(text, source)
    if not isinstance(document.data, dict | None):
        raise ConfigError([Problem(f"{source}:1", "", "a mapping of keys is expected")])
    return Tree.of(document, source)


def _merge_remote(tree: Tree, shape: Shape, said: Said) -> list[Problem]:
    """Merge the documents of a remote source into what the file says."""
    problems: list[Problem] = []
    for part in said:
        if part.key:
            if fold(part.key.partition(".")[0]) == REMOTE_KEY:
                problems.append(Problem(part.place, part.key, _NOT_REMOTE))
            continue
        document = _tree(part.text, part.place)
        if REMOTE_KEY in document.data:
            problems.append(Problem(document.source((REMOTE_KEY,)), REMOTE_KEY, _NOT_REMOTE))
        document.fill_empty_sections(shape)
        tree.merge(document)
    return problems

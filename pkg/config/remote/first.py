"""The first load, which the start of a service waits for."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from pydantic import ConfigDict

from pkg.backoff.backoff import Backoff, Chance
from pkg.clock import Clock, Pause, SystemClock, pause
from pkg.config.duration import format_duration
from pkg.config.loader import REMOTE_KEY, Loaded, Sources, load
from pkg.config.override import SEPARATOR, prefix
from pkg.config.remote.cache import RemoteCache
from pkg.config.remote.settings import RemoteSettings
from pkg.config.remote.source import RemoteError, RemoteSource, open_source
from pkg.config.settings import Settings
from pkg.config.shape import Shape, fold

if TYPE_CHECKING:
    from pkg.config.remote.part import Said

T = TypeVar("T", bound=Settings)

Tell = Callable[[str], None]
"""Told, in one line, what people who wait should know."""


class _Bootstrap(Settings):
    """The one section that is needed to find the others."""

    model_config = ConfigDict(extra="ignore")

    remote: RemoteSettings = RemoteSettings()


def load_with_remote(model: type[T], sources: Sources, *, tell: Tell) -> Loaded[T]:
    """`load`, with what the remote source says, if the sources name one. Runs a loop of its own.

    Raises:
        ConfigError: something is unreadable, unknown or wrong; carries every problem found.
        RemoteError: the remote source could not be read within the time that the start may take.
    """
    settings = remote_settings(model, sources)
    source = open_source(settings)
    if source is None:
        return load(model, sources)
    cache = None if settings.cache is None else RemoteCache(settings.cache, source.name)
    try:
        said = asyncio.run(first_load(source, settings, tell=tell))
    except RemoteError as error:
        kept = cache.read() if cache is not None else None
        if kept is None:
            raise
        tell(f"{error}; starting with what was accepted last")
        return load(model, replace(sources, remote=kept))
    loaded = load(model, replace(sources, remote=said))
    if cache is not None:
        try:
            cache.write(said)
        except OSError as error:
            tell(f"{settings.cache}: what {source.name} says cannot be kept: {error.strerror}")
    return loaded


def remote_settings(model: type[Settings], sources: Sources) -> RemoteSettings:
    """Where the remote source is, as file, environment and flags say.

    Raises:
        ConfigError: they say something wrong about it.
    """
    if REMOTE_KEY not in Shape.of(model).names():
        return RemoteSettings()
    start = prefix(sources.service)
    environ = {
        name: text
        for name, text in sources.environ.items()
        if name.upper() == f"{start}ENV" or name.upper().startswith(f"{start}REMOTE{SEPARATOR}")
    }
    sets = [each for each in sources.sets if fold(each.partition(".")[0]) == REMOTE_KEY]
    return load(_Bootstrap, replace(sources, environ=environ, sets=sets)).settings.remote


async def first_load(
    source: RemoteSource,
    settings: RemoteSettings,
    *,
    tell: Tell,
    chance: Chance = random.random,
    clock: Clock | None = None,
    pause: Pause = pause,
) -> Said:
    """Read the source, again and again for up to `start_timeout`.

    Raises:
        RemoteError: it could not be read; says for how long, and why the last time.
    """
    clock = clock or SystemClock()
    backoff = Backoff(settings.backoff, chance)
    limit = format_duration(settings.start_timeout)
    end = clock.monotonic() + settings.start_timeout.total_seconds()
    failures = 0
    while True:
        try:
            return await source.load()
        except RemoteError as error:
            failures += 1
            wait = backoff.wait(failures)
            if clock.monotonic() + wait.total_seconds() >= end:
                raise RemoteError(f"{source.name}: not read within {limit}: {error}") from error
            if failures == 1:
                tell(f"{source.name}: {error}; trying again for up to {limit}")
        await pause(wait)

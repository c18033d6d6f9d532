"""What the admin port of a supervisor answers for its workers.

`/livez`: every worker that serves answers its own. `/readyz`: they are all ready, and there is one;
a worker that is being started again is sent no work by the kernel, so it is a note and no error.
`/config`, `/debug/pprof/…`: of the worker that `?worker=` names, the first without. `/metrics` is
`pkg.metrics.WorkerMetrics`.
"""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, Protocol
from urllib.parse import parse_qs

import httpx

from pkg.admin import Answer

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import timedelta

    from pkg.admin import Endpoint
    from pkg.admin.app import Scope
    from pkg.workers.ready import Ready

_CONNECT: Final = 1.0
"""Seconds."""


class Fleet(Protocol):
    """What is asked of `Workers`."""

    @property
    def serving(self) -> Mapping[str, Ready]:
        """Name -> what it said, of those that serve."""
        ...

    @property
    def absent(self) -> tuple[str, ...]:
        """Names of those that are being started again."""
        ...


class Answers:
    """A component, and the endpoints for the admin app."""

    name = "workers-ready"

    def __init__(self, workers: Fleet, *, timeout: timedelta) -> None:
        """`timeout`: for a worker to say how it is."""
        self._workers = workers
        self._timeout = timeout.total_seconds()
        self._client: httpx.AsyncClient | None = None

    def endpoints(self, forwarded: Iterable[str]) -> Mapping[str, Endpoint]:
        """For `AdminApp`; `forwarded` are the paths that one worker answers."""
        return {"/livez": self._livez, **dict.fromkeys(forwarded, self._forward)}

    async def start(self) -> None:
        """Be ready to ask."""
        # The profile of a minute takes a minute.
        limits = httpx.Timeout(None, connect=_CONNECT)
        self._client = httpx.AsyncClient(timeout=limits, trust_env=False)

    async def stop(self) -> None:
        """Ask no more."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    @property
    def note(self) -> str:
        """Which workers are away."""
        absent = self._workers.absent
        return f"started again: worker {', '.join(absent)}" if absent else ""

    async def check(self) -> None:
        """Return if every worker that serves is ready, and there is one.

        Raises:
            ConnectionError: it is not so; says which workers, and what they said.
        """
        names = list(self._workers.serving)
        if not names:
            raise ConnectionError("no worker serves")
        said = await asyncio.gather(*(self._ask(name, "/readyz") for name in names))
        wrong = [
            f"worker {name}: {what}" for name, what in zip(names, map(_unready, said), strict=True)
            if what
        ]  # fmt: skip
        if wrong:
            raise ConnectionError("; ".join(wrong))

    async def _livez(self, _scope: Scope) -> Answer:
        names = list(self._workers.serving)
        said = await asyncio.gather(*(self._ask(name, "/livez") for name in names))
        silent = [name for name, answer in zip(names, said, strict=True) if answer is None]
        if silent:
            told = {"status": "hangs", "workers": silent}
            return Answer.json(told, HTTPStatus.SERVICE_UNAVAILABLE)
        return Answer.json({"status": "alive", "workers": names})

    async def _ask(self, name: str, path: str) -> httpx.Response | None:
        """What a worker says of itself; None if it says nothing in time."""
        try:
            async with asyncio.timeout(self._timeout):
                return await self._get(name, path)
        except (httpx.HTTPError, LookupError, TimeoutError):
            return None

    async def _forward(self, scope: Scope) -> Answer:
        query = scope["query_string"].decode("latin-1")
        serving = list(self._workers.serving)
        name = parse_qs(query).get("worker", serving[:1] or [""])[-1]
        if name not in serving:
            told = {"error": "no such worker serves", "workers": serving}
            return Answer.json(told, HTTPStatus.NOT_FOUND)
        try:
            answer = await self._get(name, f"{scope['path']}?{query}")
        except (httpx.HTTPError, LookupError):
            return Answer.json({"error": f"worker {name} has gone"}, HTTPStatus.BAD_GATEWAY)
        kind = answer.headers.get("content-type", "application/octet-stream")
        return Answer(HTTPStatus(answer.status_code), answer.content, kind)

    async def _get(self, name: str, path: str) -> httpx.Response:
        if self._client is None:
            raise LookupError("nobody is asked yet")
        return await self._client.get(f"http://{self._workers.serving[name].admin}{path}")


def _unready(answer: httpx.Response | None) -> str:
    """What is wrong with a worker by its answer; empty if nothing is."""
    if answer is None:
        return "no answer"
    said: dict[str, Any] = answer.json()
    if said["ready"]:
        return ""
    wrong = [
        f"{name} ({each['error']})" for name, each in said["components"].items() if not each["ok"]
    ]
    return ", ".join(wrong) or str(said["phase"])

"""What tracing costs a call, beside the chain that it stands in.

    ./pants run tests/bench:tracing
    ./pants run tests/bench:tracing -- --json result.json

The chain is request-id, tracing, metrics, log, recovery and deadline around a handler that does
nothing; "bare" is the same without tracing. The contestants take turns, so that a busy machine
slows all of them alike; times are CPU time of the whole process in the best round, and so hold the
thread that exports. The gate is the call that is not sampled, in multiples of the bare chain.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import sys
from datetime import timedelta
from pathlib import Path
from time import process_time
from typing import TYPE_CHECKING, Any

from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from prometheus_client import CollectorRegistry

from api.descriptors import descriptor_set
from pkg import middleware
from pkg.clock import SystemClock
from pkg.errors.catalogue import Catalogue
from pkg.log import Identity, LoggedLines
from pkg.proto.schema import Schema
from pkg.rpc import Call, Operation, compose
from pkg.tokens import SystemTokens
from pkg.trace import TraceSettings, Tracing, current_span

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from opentelemetry.sdk.trace import ReadableSpan

    from pkg.rpc import Handler

TARGET = 1.15
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
OPERATION = Operation("bench.v1.Bench/Do")


class Nowhere(SpanExporter):
    """Takes everything at once: what is measured is the making of spans."""

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        return SpanExportResult.SUCCESS

    def shutdown(self) -> None:
        """Nothing."""


def chain(tracing: Tracing | None, children: int = 0) -> Handler:
    """The handler inside the chain, with or without tracing."""
    clock, log = SystemClock(), logging.getLogger("bench")
    catalogue = Catalogue(Schema(descriptor_set()))
    recorded = () if tracing is None else (middleware.tracing(tracing, catalogue),)

    async def nothing(_call: Call, _payload: Any) -> None:
        for _ in range(children):
            span = current_span.get()
            if span is not None:
                span.child("SELECT", "client", {"db.system.name": "sqlite"}).end()

    return compose(
        (
            middleware.request_id(SystemTokens()),
            *recorded,
            middleware.metrics(middleware.CallMetrics(CollectorRegistry()), clock),
            middleware.log(LoggedLines(log), clock),
            middleware.recovery(middleware.log_error(log)),
            middleware.deadline(timedelta(seconds=10)),
        ),
        nothing,
        OPERATION,
    )


async def measure(rounds: int, calls: int) -> dict[str, float]:
    """Microseconds of CPU per call, by contestant."""
    settings = TraceSettings(queue=100_000, batch=512)
    identity = Identity("bench", "1", "test")
    on = Tracing(settings, identity, CollectorRegistry(), exporter=lambda _: Nowhere())
    off = Tracing(settings, identity, CollectorRegistry())
    await on.start()
    await off.start()
    sampled, unsampled = f"00-{TRACE}-00f067aa0ba902b7-01", f"00-{TRACE}-00f067aa0ba902b7-00"
    field: dict[str, tuple[Handler, Mapping[str, str]]] = {
        "bare": (chain(None), {}),
        "no endpoint": (chain(off), {}),
        "not sampled": (chain(on), {"traceparent": unsampled}),
        "sampled": (chain(on), {"traceparent": sampled}),
        "sampled, 5 children": (chain(on, children=5), {"traceparent": sampled}),
    }
    best: dict[str, float] = {}
    for _ in range(rounds):
        for name, (handler, headers) in field.items():
            started = process_time()
            for _ in range(calls):
                await handler(Call("http", OPERATION, headers, "::1", "en", TRACE), None)
            took = (process_time() - started) / calls * 1e6
            best[name] = min(took, best.get(name, took))
    await on.stop()
    return best


def main(arguments: list[str]) -> int:
    """Prints the table and the gate; 1 where the gate is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--calls", type=int, default=1000, help="per contestant and round")
    options = parser.parse_args(arguments)
    best = asyncio.run(measure(options.rounds, options.calls))
    bare = best["bare"]
    print(f"{'':<22}{'us per call':>12}{'more':>8}{'ratio':>8}")
    for name, took in best.items():
        print(f"{name:<22}{took:>12.2f}{took - bare:>8.2f}{took / bare:>8.2f}")
    ratio = best["not sampled"] / bare
    passed = ratio <= TARGET
    print(f"gate tracing {ratio:.2f} {TARGET:g} {'pass' if passed else 'fail'}")
    if options.json:
        figures = {"gate": "tracing", "value": ratio, "target": TARGET, "microseconds": best}
        options.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

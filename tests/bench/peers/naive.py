"""A stack as the usual tutorials build it, from the usual libraries, around a FastAPI endpoint.

    python -m tests.bench.peers.naive asgi|base REDIS OTLP RATIO SECRET

Recovery, CORS, request id, JSON log line, counter and histogram, OpenTelemetry's instrumentation
with an OTLP exporter, PyJWT, casbin with a hundred policies and keyMatch2, and a limit in Redis for
each request: once as plain ASGI middleware, once as Starlette's BaseHTTPMiddleware.
"""
# FastAPI reads the annotations at run time.

import sys
from typing import Any

import redis.asyncio
from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased

from tests.bench.peers import naive_asgi, naive_base
from tests.bench.peers.asgi_server import serve
from tests.bench.peers.naive_parts import Access, Calls, Limit, Policies, json_logger
from tests.bench.peers.order import Order


def make(style: str, redis_url: str, otlp: str, ratio: float, secret: str) -> FastAPI:
    """The app."""
    app = FastAPI(openapi_url=None)

    @app.post("/v1/bench/orders")
    async def put(order: Order) -> Order:
        return order

    client: Any = redis.asyncio.from_url(redis_url)
    parts = (Access(secret), Policies(), Limit(client))
    middlewares = naive_asgi if style == "asgi" else naive_base
    # What is added last is outermost.
    app.add_middleware(middlewares.RateLimit, limit=parts[2])
    app.add_middleware(middlewares.Authorization, policies=parts[1])
    app.add_middleware(middlewares.Authentication, access=parts[0])
    app.add_middleware(middlewares.Logged, logger=json_logger())
    app.add_middleware(middlewares.Measured, calls=Calls())
    app.add_middleware(middlewares.RequestId)
    app.add_middleware(middlewares.Recovery)
    app.add_middleware(CORSMiddleware, allow_origins=["*"], allow_methods=["*"])
    provider = TracerProvider(sampler=ParentBased(TraceIdRatioBased(ratio)))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(otlp, insecure=True)))
    FastAPIInstrumentor.instrument_app(app, tracer_provider=provider)
    return app


if __name__ == "__main__":
    _, chosen, where, collector, share, key = sys.argv
    serve(lambda: make(chosen, where, collector, float(share), key))

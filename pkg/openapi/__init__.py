"""The OpenAPI document, read from the same protos that the routes are."""

from pkg.openapi.document import Document

__all__ = ["Document"]

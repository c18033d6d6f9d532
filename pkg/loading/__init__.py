"""Imports at full speed. It imports nothing itself, so that it can stand before everything."""

from pkg.loading.loading import loading

__all__ = ["loading"]

"""Imports at full speed. It imports nothing itself, so that it can stand before everything."""

from pkg.loading.loading import absent, built_late, loading

__all__ = ["absent", "built_late", "loading"]

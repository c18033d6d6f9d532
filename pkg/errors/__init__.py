"""Errors that leave the process. Knows neither proto nor transport, so that biz may raise them."""

from pkg.errors.fault import Fault, Violation

__all__ = ["Fault", "Violation"]

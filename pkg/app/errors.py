"""Why a process ends when nobody asked it to."""

from __future__ import annotations


class AppError(Exception):
    """A component ended the process. The cause is in `__cause__`."""

    def __init__(self, component: str, what: str) -> None:
        """`what` went wrong with the component of that name."""
        self.component = component
        super().__init__(f"{component}: {what}")


class StartError(AppError):
    """A component did not start; what had started before it has been stopped."""


class ComponentError(AppError):
    """A running component ended by itself; everything has been stopped."""


class StopError(AppError):
    """Components did not stop in order; what could be stopped has been."""


def describe(error: BaseException) -> str:
    """An exception in one line, for people: its message, or its type where it has none."""
    text = " ".join(str(error).split())
    name = type(error).__name__
    if not text:
        return name
    return text if isinstance(error, OSError | AppError) else f"{name}: {text}"

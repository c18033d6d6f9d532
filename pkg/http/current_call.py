"""The call, as an argument of a hand-written endpoint or of a FastAPI dependency."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Annotated, Any, TypeVar, cast

from fastapi import Depends

from pkg.rpc.call import Call, current_call

Function = TypeVar("Function", bound=Callable[..., Any])


async def current() -> Call:
    """The call that is served; a FastAPI dependency (async: others run in a thread).

    Raises:
        LookupError: nobody serves a call here, which must not happen.
    """
    return _served()


CurrentCall = Annotated[Call, Depends(current)]
"""Type of an endpoint's argument, or a dependency's, that is to be the call."""


def given_call(function: Function) -> Function:
    """The endpoint without its `CurrentCall`, which it is given as it is called.

    As a dependency it would cost FastAPI a tenth of a request.
    """
    try:
        signature = inspect.signature(function, eval_str=True)
    except NameError:  # FastAPI says better what is wrong with it
        return function
    others = [each for each in signature.parameters.values() if each.annotation != CurrentCall]
    names = signature.parameters.keys() - {each.name for each in others}
    if not names:
        return function

    @wraps(function)
    def given(**values: Any) -> Any:
        return function(**values, **dict.fromkeys(names, _served()))

    # By `setattr`, since a function has no such attribute for the type checker.
    setattr(given, "__signature__", signature.replace(parameters=others))  # noqa: B010 - see above
    return cast("Function", given)


def _served() -> Call:
    call = current_call.get()
    if call is None:
        raise LookupError("a route was reached outside the chain")
    return call

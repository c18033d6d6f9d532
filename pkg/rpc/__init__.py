"""One call, whatever carried it: the call itself, the operation it is for, and the chain around it.

Generated code imports `Bound`, `Call` and `Channel` from here.
"""

from pkg.rpc.bound import Bound
from pkg.rpc.call import Call, Principal, current_call
from pkg.rpc.chain import Handler, Middleware, Payload, compose
from pkg.rpc.channel import Channel
from pkg.rpc.operation import Auth, Operation

__all__ = [
    "Auth",
    "Bound",
    "Call",
    "Channel",
    "Handler",
    "Middleware",
    "Operation",
    "Payload",
    "Principal",
    "compose",
    "current_call",
]

"""What is said to a request that no route takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pkg.errors import Fault
from pkg.http.asgi import raw_path
from pkg.http.outgoing import encoded
from pkg.rpc.operation import Auth, Operation

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pkg.http.asgi import Receive, Scope, Send
    from pkg.http.endpoint import Endpoint
    from pkg.http.headers import Headers
    from pkg.http.router import Router
    from pkg.rpc.call import Call
    from pkg.rpc.chain import Handler

OPERATION: Final = Operation("unmatched", auth=Auth.PUBLIC)
"""One operation for all of them: what callers invent must not become names in metrics."""


class Unmatched:
    """Says ROUTE_NOT_FOUND, METHOD_NOT_ALLOWED with `Allow`, or what an OPTIONS asks for."""

    operation = OPERATION

    def __init__(
        self, composed: Callable[[Handler, Operation], Handler], router: Router[Endpoint]
    ) -> None:
        """`composed` puts a handler inside the chain."""
        self._router = router
        self._handler = composed(_refuse, OPERATION)

    async def serve(
        self,
        call: Call,
        headers: Headers,
        variables: Mapping[str, str],
        scope: Scope,
        receive: Receive,
        send: Send,
    ) -> None:
        """Refuse, or answer OPTIONS."""
        methods = self._router.methods(raw_path(scope))
        refusal: Fault | None = None
        if not methods:
            refusal = Fault("ROUTE_NOT_FOUND")
        else:
            call.reply_headers.append(("allow", ", ".join(sorted({*methods, "OPTIONS"}))))
            if scope["method"] != "OPTIONS":
                refusal = Fault("METHOD_NOT_ALLOWED")
        await self._handler(call, refusal)
        await send(
            {
                "type": "http.response.start",
                "status": 204,
                "headers": encoded(call.reply_headers),
            }
        )
        await send({"type": "http.response.body", "body": b""})


async def _refuse(_call: Call, refusal: Fault | None) -> Any:
    """The innermost handler of all that no route takes."""
    if refusal is not None:
        raise refusal

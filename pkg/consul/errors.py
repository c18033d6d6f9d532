"""What goes wrong with Consul.

ConsulError
├── ConsulUnavailableError  no answer, or one that says to try later
├── ConsulForbiddenError    the token does not allow it
├── ConsulNotFoundError     what was asked for is not there
└── ConsulRefusedError      the request is wrong, or the answer makes no sense

Messages name the agent and what was asked of it, never the token.
"""

from __future__ import annotations


class ConsulError(Exception):
    """A request to Consul failed."""


class ConsulUnavailableError(ConsulError):
    """Consul does not answer, has no leader, or is overloaded: try later."""


class ConsulForbiddenError(ConsulError):
    """The token, or that there is none, does not allow this."""


class ConsulNotFoundError(ConsulError):
    """The check or service is not known to the agent."""


class ConsulRefusedError(ConsulError):
    """Consul does not take the request, or the answer is not one of Consul's."""

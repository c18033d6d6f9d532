"""What an address may look like here: what mail servers take, not all that the RFCs allow."""

from __future__ import annotations

import re
from ipaddress import ip_address
from typing import Annotated, Final

from pydantic import AfterValidator

_LONGEST: Final = 254
_LONGEST_LOCAL: Final = 64
_LOCAL: Final = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*", re.ASCII
)
_LABEL: Final = r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_DOMAIN: Final = re.compile(rf"{_LABEL}(\.{_LABEL})*", re.ASCII)


def is_address(text: str) -> bool:
    """Whether this is `local@domain` in ASCII: no quotes, comments, spaces or line breaks."""
    local, _, domain = text.partition("@")
    return (
        len(text) <= _LONGEST
        and len(local) <= _LONGEST_LOCAL
        and _LOCAL.fullmatch(local) is not None
        and _DOMAIN.fullmatch(domain) is not None
    )


def is_host(text: str) -> bool:
    """Whether this is the name or the IP address of a host."""
    try:
        ip_address(text)
    except ValueError:
        return len(text) <= _LONGEST and _DOMAIN.fullmatch(text) is not None
    return True


def _check(text: str) -> str:
    if not is_address(text):
        raise ValueError('a mail address looks like "ops@example.com", without a name')
    return text


Address = Annotated[str, AfterValidator(_check)]
"""A mail address in a settings model."""

"""Whether the resource that a policy names covers the one that is asked for."""

from __future__ import annotations


def covers(policy: str, resource: str) -> bool:
    """Compare a policy's resource with that of an operation: a route template or a gRPC path.

    They are equal, or have as many segments, each of them equal or `*` in the policy. A `*` stands
    for one segment that is not empty: not for the `**` of a template, and not for its custom verb,
    which is a different operation: `/v1/users/*` does not cover `/v1/users/{id}:ban`, but
    `/v1/users/*:ban` does. Upper and lower case differ.
    """
    if policy == resource:
        return True
    if "*" not in policy:
        return False
    granted, granted_verb = _split(policy)
    asked, asked_verb = _split(resource)
    return (
        granted_verb == asked_verb
        and len(granted) == len(asked)
        and all(map(_covers_segment, granted, asked))
    )


def _split(path: str) -> tuple[list[str], str]:
    """The segments, and the verb behind the last one."""
    head, colon, verb = path.rpartition(":")
    if not colon or "/" in verb or "}" in verb:
        return path.split("/"), ""
    return head.split("/"), verb


def _covers_segment(granted: str, asked: str) -> bool:
    if granted == "*":
        return bool(asked) and "**" not in asked
    return granted == asked

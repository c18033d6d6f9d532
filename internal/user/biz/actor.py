"""Who does something: the subject of a verified token, in the words of biz."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Actor:
    """The signed-in user that a use case acts for. Never read from a request's body."""

    uid: str
    user_name: str
    role_id: str
    session: str
    """The refresh family that the access token came from."""

    def __post_init__(self) -> None:
        """Refuse an anonymous actor.

        Raises:
            ValueError: the uid is empty.
        """
        if not self.uid:
            raise ValueError("an actor needs a uid")

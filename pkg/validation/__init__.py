"""Messages are held to the rules in their protos; refusals are in the caller's language."""

from pkg.validation.acceptance import Acceptance
from pkg.validation.rules import Rules
from pkg.validation.texts import translate

__all__ = ["Acceptance", "Rules", "translate"]

"""The user service: identity, sessions, roles, policies and menus."""

__all__: list[str] = []

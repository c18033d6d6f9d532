"""The services. Each is private to itself: others meet it through its api clients only."""

__all__: list[str] = []

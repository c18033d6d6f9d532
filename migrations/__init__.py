"""Changes of the services' schemas, in order."""

__all__: list[str] = []

"""The OpenAPI 3.1 document of every route a service answers, generated or hand-written."""

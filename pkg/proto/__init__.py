"""Protos at run time: schema, HTTP rules, wire and JSON. Import what you need from its module.

Nothing is imported here on purpose: the protoc plugin uses `schema`, `source`, `http_rule` and
`bindings` where only protobuf is installed.
"""

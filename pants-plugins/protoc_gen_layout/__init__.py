"""The protoc plugin: what the services need beside betterproto2's messages."""

"""Servers, each a process: ours, and what ours is measured against."""

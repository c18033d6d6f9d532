"""Measurements, not tests: what has a gate prints `gate NAME VALUE TARGET pass|fail`."""

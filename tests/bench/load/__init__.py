"""The load, in a process of its own, and how the benchmark speaks to it."""

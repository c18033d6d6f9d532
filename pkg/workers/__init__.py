"""Several identical processes behind one port, and the one that starts them and keeps them there.

The supervisor serves nothing but the admin port. It holds the ports, has a child for each worker,
starts one that died again, and hands on what it is told; a worker is the service as it is without
workers, but for its ports, which it shares, and its line to the supervisor.
"""

from pkg.workers.command import this_program
from pkg.workers.link import Link
from pkg.workers.pool import Workers
from pkg.workers.ports import Ports
from pkg.workers.process import WorkerError
from pkg.workers.ready import Ready

__all__ = ["Link", "Ports", "Ready", "WorkerError", "Workers", "this_program"]

"""Which role may do what: casbin in memory, following the policies as they change.

database ──load──▶ PolicyEngine ──allowed?──▶ every call, on every loop
                       ▲    ▲
   PolicyWatch ────────┘    └──────── PolicyAnnouncer
   polls, and hears of changes        reloads here, tells the others
"""

from pkg.rbac.announcer import PolicyAnnouncer
from pkg.rbac.engine import PolicyEngine, StalePoliciesError
from pkg.rbac.memory import MemoryNotifier
from pkg.rbac.notifier import PolicyNotifier
from pkg.rbac.policy_set import Link, PolicySet, Rule
from pkg.rbac.redis import RedisNotifier
from pkg.rbac.shared_job import ClosedError
from pkg.rbac.watch import Pause, PolicyWatch

__all__ = [
    "ClosedError",
    "Link",
    "MemoryNotifier",
    "Pause",
    "PolicyAnnouncer",
    "PolicyEngine",
    "PolicyNotifier",
    "PolicySet",
    "PolicyWatch",
    "RedisNotifier",
    "Rule",
    "StalePoliciesError",
]

"""The policies of one version, and what was decided by them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import casbin
from casbin.model import Model

from pkg.rbac.lineages import Lineages
from pkg.rbac.resource import covers

if TYPE_CHECKING:
    from pkg.rbac.policy_set import PolicySet, Rule

MODEL: Final = """
[request_definition]
r = sub, obj, act

[policy_definition]
p = sub, obj, act

[role_definition]
g = _, _

[policy_effect]
e = some(where (p.eft == allow))

[matchers]
m = (p.act == "*" || p.act == r.act) && covers(p.obj, r.obj) && g(r.sub, p.sub)
"""
"""The cheapest comparison first: casbin stops at the first that fails."""


class Snapshot:
    """Decides by policies that never change. May be shared by threads.

    A decision costs some microseconds for each rule of the role's lineage, and is remembered for
    as long as the snapshot lives: a new version begins with no memories.
    """

    def __init__(self, policies: PolicySet, *, cache_size: int) -> None:
        """Prepare to decide.

        Args:
            policies: of one version.
            cache_size: how many decisions are remembered.
        """
        self.version = policies.version
        self.decisions: dict[Rule, bool] = {}
        """What was decided. To be read only."""
        self._cache_size = cache_size
        self._lineages = Lineages(policies.links)
        self._rules: dict[str, list[Rule]] = {}
        for rule in policies.rules:
            self._rules.setdefault(rule[0], []).append(rule)
        self._enforcers: dict[str, Any] = {}

    def decide(self, role: str, resource: str, action: str) -> bool:
        """Whether a rule allows it. Nobody's role is empty.

        Raises:
            Exception: what casbin makes of a rule that is none.
        """
        enforcer = self._enforcer(role) if role else None
        decision = enforcer is not None and bool(enforcer.enforce(role, resource, action))
        if len(self.decisions) >= self._cache_size:
            # Whoever asks for ever new things shall not fill the memory. Others pay for it with a
            # slower answer, never with an old one.
            self.decisions.clear()
        self.decisions[role, resource, action] = decision
        return decision

    def _enforcer(self, role: str) -> Any:
        """Casbin with the rules that may concern the role; None without any.

        Casbin looks at its rules one by one, so it is given no others. Made when first needed;
        two threads that need it at once make it twice, with the same outcome.
        """
        made = self._enforcers.get(role)
        if made is not None:
            return made
        rules = [rule for name in self._lineages.of(role) for rule in self._rules.get(name, ())]
        if not rules:
            return None
        model = Model()
        model.load_model_from_text(MODEL)
        # `add_policy` compares each rule with all others, and sets are made without repetitions.
        model["p"]["p"].policy = rules
        enforcer = casbin.Enforcer(model)
        enforcer.add_function("covers", covers)
        model["g"]["g"].rm = self._lineages
        self._enforcers[role] = enforcer
        return enforcer

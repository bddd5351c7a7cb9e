"""What the product can do, on one page. A new check, action, guard or agent is one file plus one line here."""

from __future__ import annotations

from zen_agents.actions.base import Action
from zen_agents.agents.base import BaseAgent
from zen_agents.checks.base import Check
from zen_agents.guards.base import Guard

AGENTS: tuple[type[BaseAgent], ...] = ()

CHECKS: tuple[type[Check], ...] = ()

ACTIONS: tuple[type[Action], ...] = ()

#: All are asked every time, in this order; the most restrictive answer wins.
GUARDS: tuple[Guard, ...] = ()

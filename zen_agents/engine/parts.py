"""What the engine's rooms share. Built once by the runtime; a reload replaces `policy` and nothing else in it."""

from __future__ import annotations

import random
from collections.abc import Callable, Collection
from dataclasses import field

from zen_agents.clock import Clock
from zen_agents.dataclass import dataclass
from zen_agents.engine.breakers import Breakers
from zen_agents.engine.causes import Causes
from zen_agents.engine.escalation import Escalation
from zen_agents.engine.executor import Executor
from zen_agents.engine.incidents import IncidentBook
from zen_agents.engine.journal import Journal
from zen_agents.engine.judging import Judging
from zen_agents.engine.planning import Planning
from zen_agents.engine.rivals import Rivals
from zen_agents.engine.safe_mode import SafeMode
from zen_agents.engine.sampler import Sampler
from zen_agents.errors import StoreError
from zen_agents.guards.base import Policy
from zen_agents.ports.events import Watch
from zen_agents.ports.host import Host
from zen_agents.ports.store import Store
from zen_agents.rules.rule import FlapLimit

#: After so many incidents the loop is given a turn, so that a storm does not keep the control socket waiting.
A_TURN = 25
#: After so many their changes and decisions are made durable; a multiple of the turn. Intents do not wait for that.
A_BATCH = 250


@dataclass(slots=True)
class Parts:
    """The engine's own things, handed to each agent's tick."""

    store: Store
    host: Host
    clock: Clock
    policy: Policy
    sampler: Sampler
    book: IncidentBook
    planning: Planning
    judging: Judging
    executor: Executor
    journal: Journal
    escalation: Escalation
    breakers: Breakers
    safe_mode: SafeMode
    rivals: Rivals
    causes: Causes
    #: Why the state is not this host's own; "" if it is (R34).
    foreign: str = ""
    #: Targets of rules with a ladder, over all agents: the storm brake's denominator.
    actionable: int = 0
    #: When openings of one incident count as flapping; the configuration's word for every rule.
    flapping: FlapLimit = field(default_factory=FlapLimit)
    #: Loads what is needed besides once one of these actions is done about the first fault.
    get_ready: Callable[[Collection[str]], None] = lambda _: None
    #: Whether each change of what a check watches wakes the engine: a kernel may have no such event, or no room for it.
    is_told_of: Callable[[Watch], bool] = lambda _: False
    random: random.Random = field(default_factory=random.SystemRandom)

    def commit(self) -> None:
        """Make durable what was written; a state that fails is a reason for safe mode, and ends no turn (R15)."""
        try:
            self.store.commit()
        except StoreError as error:
            self.safe_mode.store_failed(str(error))

"""Ready before the first repair: what acting loads and compiles at its first use is used once, for nothing, ahead of it.

Nothing is planned for and the host is only asked what guards ask of it. An engine that has no action to take loads nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from zen_agents.alerts.signal import Signal
from zen_agents.dataclass import compile_now
from zen_agents.engine.judged import Judged
from zen_agents.engine.judging import AsOf
from zen_agents.engine.parts import Parts
from zen_agents.engine.rivals import Mended
from zen_agents.engine.surveys import Survey
from zen_agents.guards import patterns
from zen_agents.model.action import ActionRequest, Effect, Intent, Outcome, Resource
from zen_agents.model.approval import Approval, ApprovalAnswer
from zen_agents.model.message import Message
from zen_agents.ports.events import Wake
from zen_agents.ports.evidence import Fragile, Records, Surroundings
from zen_agents.ports.store import ActionRow, Usage
from zen_agents.rules.rule import Rule

_OBSERVE = "observe"
#: What a repair makes, from the event that wakes the engine to the message.
_MADE = (
    Wake, Survey, Resource, Judged, Approval, ApprovalAnswer, Intent, Fragile, Surroundings, Records, Effect, Outcome,
    ActionRow, Usage, Mended, Signal, Message,
)  # fmt: skip


async def get_ready(parts: Parts, rules: Iterable[Rule]) -> None:
    """Load each action that these rules may ask for and ask the guards about it; never raises, and decides nothing."""
    policy, now = parts.policy, parts.clock.now()
    if policy.mode == _OBSERVE:
        return
    wanted = list(_one_of_each(rules))
    if not wanted:
        return
    import concurrent.futures.thread  # noqa: F401, PLC0415 - with the first thread: files are changed in one

    import zen_agents.rules.backoff  # noqa: F401, PLC0415 - what does not help at once is tried again

    compile_now(*_MADE)
    patterns.get_ready()
    parts.get_ready([request.action for _, request in wanted if request.listed_as in policy.allowed])
    situation = parts.book.situation(policy, now, actionable=parts.actionable, running=0, foreign=parts.foreign)
    for rule, request in wanted:
        await parts.judging.get_ready(request, rule=rule, policy=policy, present=lambda: AsOf(now, situation))


def _one_of_each(rules: Iterable[Rule]) -> Iterator[tuple[Rule, ActionRequest]]:
    seen = set[str]()
    for rule in rules:
        for request in (request for rung in rule.ladder for request in rung.alternatives):
            if request.action not in seen:
                seen.add(request.action)
                yield rule, request

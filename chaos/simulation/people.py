"""What people do in a simulated hour: through the operator, with the emergency stop, and by hand on the host."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from random import Random
from typing import TYPE_CHECKING, Any

from chaos.simulation.site import REPAIRABLE
from zen_agents.errors import ZenError
from zen_agents.model.principal import Principal

if TYPE_CHECKING:
    from chaos.simulation.life import Life

ALICE = Principal("alice", 1000)
Deed = Callable[["Life", Random], Coroutine[None, None, None]]


async def asks(life: Life, verb: str, **args: Any) -> None:
    """Ask the engine for something as a person does; a refusal is an answer."""
    try:
        await life.operator.answer(verb, args, ALICE, True)
    except ZenError as error:
        life.refusals.append(str(error))


async def pauses(life: Life, chance: Random) -> None:
    """Keep the engine's hands off, for a while."""
    scope = chance.choice(["host", "system_health", *REPAIRABLE])
    await asks(life, "pause", scope=scope, for_seconds=chance.choice([30.0, 600.0]), reason="looking")


async def resumes(life: Life, chance: Random) -> None:
    """Lift a pause, whether there is one or not."""
    await asks(life, "resume", scope=chance.choice(["host", *REPAIRABLE]), reason="done")


async def acknowledges(life: Life, chance: Random) -> None:
    """Take the last incident."""
    await asks(life, "ack", incident="@last", for_seconds=300.0, keep_acting=chance.random() < 0.5)


async def acts(life: Life, chance: Random) -> None:
    """Have the engine do something, with some guards passed by name."""
    override = [["cooldown"], [], ["cooldown", "rate_limit", "breaker"]][chance.randrange(3)]
    await asks(life, "act", action="restart_service", target=chance.choice(REPAIRABLE), reason="by hand", override=override)


async def undoes(life: Life, chance: Random) -> None:
    """Take back one of the last actions, whether that can be or not."""
    rows = life.runtime.store.actions(limit=5)
    await asks(life, "undo", undoes=chance.choice(rows).id if rows else "@last", reason="not wanted")


async def rolls_back(life: Life, chance: Random) -> None:
    """Undo what was done lately, and let the agents act again in stages."""
    rows = life.runtime.store.actions(limit=20)
    await asks(life, "rollback", to=rows[-1].id if rows else "@last", reason="it went wrong")
    await asks(life, "resume_staged", for_seconds=chance.choice([30.0, 600.0]), reason="the cause is known")


async def switches_safe_mode(life: Life, chance: Random) -> None:
    """Enter or leave safe mode."""
    await asks(life, "safe_mode", on=chance.random() < 0.3, reason="looked")


async def reloads(life: Life, chance: Random) -> None:
    """Reload the same file, one that observes, one that asks, one without a service, or a broken one."""
    life.configure(chance.choice(["whole", "whole", "observe", "approve", "short", "broken"]))
    await asks(life, "reload")


async def stops_everything(life: Life, chance: Random) -> None:
    """Pull the emergency stop, as the script does: without the engine."""
    life.flag.set(by="alice", reason="enough", at=life.host.clock.now().wall)


async def ends_the_stop(life: Life, chance: Random) -> None:
    """Resume from the emergency stop, every unknown outcome looked at."""
    unknown = [row.id for row in life.runtime.store.actions(limit=200) if row.kind.value == "unknown"]
    await asks(life, "resume_emergency", confirm="sim", acknowledged=unknown, reason="looked")


async def stops_a_unit(life: Life, chance: Random) -> None:
    """Stop a unit by hand: no fault."""
    life.host.stop(chance.choice(REPAIRABLE))


async def starts_a_unit(life: Life, chance: Random) -> None:
    """Start a unit by hand."""
    life.host.start(chance.choice(REPAIRABLE))


async def answers(life: Life, chance: Random) -> None:
    """Answer what is asked, mostly with yes, sometimes a second time or when it is over."""
    known = life.runtime.store.approvals(limit=5)
    if known:
        verb = "approve" if chance.random() < 0.8 else "deny"
        await asks(life, verb, approval=chance.choice(known).id, reason="looked")


async def lifts_everything(life: Life, chance: Random) -> None:
    """Go through all that holds the engine, as a person on call does when the trouble is over."""
    life.configure("whole")
    await asks(life, "reload")
    await ends_the_stop(life, chance)
    await asks(life, "safe_mode", on=False, reason="it is over")
    for brake in list(life.runtime.store.brakes()):
        if brake.kind in ("pause", "rule_paused", "target_closed", "observe_only", "demoted"):
            await asks(life, "resume", scope=brake.scope, reason="it is over")
    for asked in life.runtime.store.open_approvals():
        await asks(life, "approve", approval=asked.id, reason="it is over")


DEEDS: tuple[Deed, ...] = (
    pauses, resumes, acknowledges, acts, acts, undoes, undoes, rolls_back, switches_safe_mode, reloads, stops_everything,
    ends_the_stop, stops_a_unit, starts_a_unit, answers, answers, answers, lifts_everything, lifts_everything,
    lifts_everything,
)  # fmt: skip

"""The life of a whole engine over a simulated host, made of random steps, and a watcher that nothing unsafe passes unseen.

The watcher stands where the host is changed: each control that is handed out is looked at, at that very moment, with what a
second reader of the state sees. What has to hold over time is judged at the end, by the one oracle (`chaos.invariants`).
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from chaos.invariants import Deed, violations
from tests.support.rig import Rig
from zen_agents.adapters.sqlite_store import SqliteStore
from zen_agents.errors import StoreError
from zen_agents.guards.base import Limit
from zen_agents.model.action import Intent
from zen_agents.model.principal import Principal
from zen_agents.ports.host import HostControl
from zen_agents.ports.store import Brake
from zen_agents.store import failpoint

SERVICES = ("web", "db", "mail")
#: Allowed to be restarted by nobody's rule: a step may break it, and nothing may touch it.
BYSTANDER = "bystander"
REPAIRS, PER_TARGET = Limit(5, 3600.0), Limit(3, 3600.0)
ALICE = Principal("alice", 1000)
#: How often a service is looked at (seconds): seldom, so that a life takes little of the machine's time.
EVERY = 15.0
Step = tuple[Any, ...]


@dataclass
class Life:
    """One engine after the other over one host and one state."""

    folder: Path
    rig: Rig = field(init=False)
    wrong: list[str] = field(default_factory=list)
    #: The actions for which a control was handed out.
    opened: list[str] = field(default_factory=list)
    #: What a person stopped, and has not started again.
    stopped: set[str] = field(default_factory=set)
    #: Intents whose process died after the effect, before its outcome was written.
    dies_after_effect: bool = False

    def __post_init__(self) -> None:
        self.rig = Rig(self.folder, SERVICES, every_seconds=EVERY, **self._policy())
        self.rig.host.add_service(BYSTANDER, unit=f"{BYSTANDER}.service", port=9999)
        self.rig.host.start(BYSTANDER)
        self._watch()

    def _policy(self) -> dict[str, Any]:
        return {"repairs": REPAIRS, "per_target": PER_TARGET, "protected_units": frozenset({"mail.service"})}

    def _watch(self) -> None:
        control = self.rig._control

        def watched(intent: Intent) -> HostControl:
            self._judge(intent)
            made = control(intent)
            return _Dying(made) if self.dies_after_effect else made  # type: ignore[return-value]

        self.rig.parts.executor._control = watched

    # -- what may never be --------------------------------------------------------------------------------------------
    def _judge(self, intent: Intent) -> None:
        """Look at one intent at the moment in which it is given the door to the host."""
        rig, request = self.rig, intent.plan.request
        self.opened.append(intent.id)
        reader = SqliteStore.open_read_only(self.folder / "state.db")
        try:
            row = reader.action(intent.id)
            self._hold(row is not None and not row.kind.is_final, f"{intent.id} has no durable intent")
            brakes = reader.brakes()
        finally:
            reader.close()
        now = rig.clock.now().steady
        set_now = [brake for brake in brakes if brake.until is None or brake.until > now]
        covering = {"host", "agent:system_health", f"target:{request.target}", f"rule:{request.rule}"}
        self._hold(rig.flag.read() is None, f"{intent.id} acts against the emergency stop")
        for kind in ("safe_mode", "pause", "target_closed", "storm"):
            held = any(brake.kind == kind and brake.scope in covering for brake in set_now)
            self._hold(not held, f"{intent.id} acts against {kind}")
        self._hold(rig.parts.safe_mode.brake is None, f"{intent.id} acts in safe mode")
        self._hold(rig.parts.policy.mode == "enforce", f"{intent.id} acts in mode {rig.parts.policy.mode}")
        self._hold(not rig.parts.policy.dry_run, f"{intent.id} acts in a dry run")
        name = request.target.partition(":")[2]
        self._hold((request.action, request.target) in rig.parts.policy.declared, f"{request.target} is not declared")
        self._hold(name != "mail", "a protected unit is touched")
        self._hold(name not in self.stopped, f"{name} was stopped by a person")
        self._hold(rig.parts.executor.running <= rig.parts.policy.max_concurrent, "too many act at once")

    def _hold(self, fact: bool, otherwise: str) -> None:
        if not fact:
            self.wrong.append(otherwise)

    # -- steps --------------------------------------------------------------------------------------------------------
    async def take(self, step: Step) -> None:
        """Take one step."""
        name, *arguments = step
        done = getattr(self, f"_{name}")(*arguments)
        if asyncio.iscoroutine(done):
            await done

    async def _run(self, seconds: float) -> None:
        await self.rig.run(seconds)
        self._keep_house()

    def _keep_house(self) -> None:
        """Do what the engine does for itself now and then."""
        with contextlib.suppress(StoreError):
            self.rig.store.commit()
        self.rig.parts.executor.write_again()

    def _crash(self, name: str) -> None:
        if self.rig.host.services[name].pid:
            self.rig.host.crash(name)

    def _hang(self, name: str, hangs: bool) -> None:
        self.rig.host.services[name].hangs = hangs

    def _refuse(self, name: str, refuses: bool) -> None:
        self.rig.host.services[name].refuses_to_start = refuses

    def _loop(self, name: str, seconds: float | None) -> None:
        self.rig.host.services[name].crashes_after_seconds = seconds

    def _person_stops(self, name: str) -> None:
        self.rig.host.stop(name)
        self.stopped.add(name)

    def _person_starts(self, name: str) -> None:
        self.stopped.discard(name)
        self.rig.host.start(name)

    def _blind(self, method: str, how: str) -> None:
        faults = self.rig.host.faults
        {"fail": faults.fail, "garbage": lambda m: faults.answer(m, "garbage", times=3), "heal": faults.heal}[how](method)

    def _pause(self, scope: str, seconds: float) -> None:
        now = self.rig.clock.now()
        self._human(lambda: self.rig.store.set_brake(Brake("pause", scope, "looking", "alice", now, now.steady + seconds)))

    def _resume(self) -> None:
        def lift() -> None:
            for brake in self.rig.store.brakes():
                if brake.kind in ("pause", "target_closed"):
                    self.rig.store.lift_brake(brake.kind, brake.scope)

        self._human(lift)

    def _safe_mode(self, on: bool) -> None:
        safe_mode = self.rig.parts.safe_mode
        self._human((lambda: safe_mode.enter("looks odd", ALICE)) if on else (lambda: safe_mode.leave(ALICE, "looked")))

    def _stop_flag(self, on: bool) -> None:
        flag = self.folder / "EMERGENCY_STOP"
        flag.write_text("set now by alice: enough") if on else flag.unlink(missing_ok=True)

    def _mode(self, mode: str) -> None:
        self.rig.parts.policy = replace(self.rig.parts.policy, mode=mode)
        self.rig.tick.forget_waits()

    def _clock(self, seconds: float) -> None:
        self.rig.clock.jump_wall(seconds)

    def _human(self, act: Callable[[], object]) -> None:
        """A person acts; a state that cannot be written tells them so."""
        try:
            act()
            self.rig.store.commit()
        except StoreError:
            return
        self.rig.tick.forget_waits()

    async def _kill(self) -> None:
        """The engine dies between two turns, and another one starts."""
        self._restart()

    async def _kill_at_work(self, after_effect: bool) -> None:
        """The engine dies after it reserved: before the effect, or after it and before the outcome."""
        self.dies_after_effect = after_effect
        await self.rig.tick.run(everything=True)
        running = list(self.rig.parts.executor._running.values())
        if not after_effect:
            for task in running:
                task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        self.dies_after_effect = False
        self._restart()

    def _restart(self) -> None:
        policy = self.rig.parts.policy
        # No engine starts in no time: what happens after the death of one comes later than what that one did.
        self.rig.host.advance(0.1)
        self.rig = self.rig.restart(every_seconds=EVERY, **self._policy())
        self.rig.parts.policy = replace(self.rig.parts.policy, mode=policy.mode)
        self._watch()

    async def _store_fails(self, seam: str, nth: int) -> None:
        """The disk refuses one write in the next minute."""
        failpoint.arm(f"store.{seam}.before_commit:{'eio' if nth % 2 else 'enospc'}:{nth}")
        try:
            await self._run(60)
        finally:
            failpoint.arm(None)
        self._keep_house()

    # -- the end ------------------------------------------------------------------------------------------------------
    async def calm_down(self) -> None:
        """Heal everything, lift everything, and let so much time pass that whatever is still owed comes."""
        self.rig.host.faults.heal()
        for name, service in self.rig.host.services.items():
            service.hangs = service.refuses_to_start = False
            service.crashes_after_seconds = service.crashes_at = None
            self.stopped.discard(name)
            self.rig.host.stop(name)
            service.started_at.clear()
            self.rig.host.start(name)
        self._stop_flag(False)
        self._mode("enforce")
        self._resume()
        self._safe_mode(False)
        await self._run(7200)

    def end(self) -> list[str]:
        """Close everything and return all that was not as it has to be."""
        unfinished = [row.id for row in self.rig.store.unfinished()]
        self._hold(not unfinished, f"without a final outcome: {unfinished}")
        self.rig.store.close()
        return [*self.wrong, *map(str, violations(self.folder, host=self))]

    # -- what the host itself can tell (chaos.invariants.Witness) -----------------------------------------------------
    @property
    def doors(self) -> list[str]:
        """Return the actions for which a control was handed out."""
        return self.opened

    @property
    def deeds(self) -> list[Deed]:
        """Return every restart that the host has seen."""
        return self.rig.host.deeds


class _Dying:
    """A control whose engine is killed right after the effect."""

    def __init__(self, control: HostControl) -> None:
        self._control = control

    async def run(self, command: Any) -> Any:
        await self._control.run(command)
        raise asyncio.CancelledError(errno.ESRCH)
